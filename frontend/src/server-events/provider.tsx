import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useEffect, useState, useSyncExternalStore } from "react";
import { operationQuery } from "../api/queries";
import type { Operation } from "../api/types";
import { EventFeed, type FeedState } from "./event-feed";
import { OperationLog } from "./operation-log";

interface ServerEvents {
  feed: EventFeed;
  operations: OperationLog;
}

const ServerEventsContext = createContext<ServerEvents | null>(null);

/** Listens to the server's events: fetches again the data that an event names, and keeps the operations. */
export function ServerEventsProvider({ children, feed: given }: { children: ReactNode; feed?: EventFeed }) {
  const client = useQueryClient();
  const [events] = useState<ServerEvents>(() => ({ feed: given ?? new EventFeed(), operations: new OperationLog() }));

  useEffect(() => {
    const { feed, operations } = events;
    const refresh = (...keys: string[]) => {
      for (const key of keys) void client.invalidateQueries({ queryKey: [key] });
    };
    feed.on("operation", (operation) => operations.put(operation));
    feed.on("models", () => refresh("models", "history"));
    feed.on("stage", () => refresh("models", "history", "status", "metrics"));
    let wasOpen = false;
    const removeStateListener = feed.onState(() => {
      if (feed.state !== "open") return;
      // A server that was restarted does not replay the events of the outage.
      if (wasOpen) refresh("models", "history", "status", "metrics", "demo-clips");
      wasOpen = true;
    });
    feed.start();
    return () => {
      removeStateListener();
      feed.stop();
    };
  }, [client, events]);

  return <ServerEventsContext value={events}>{children}</ServerEventsContext>;
}

function useServerEvents(): ServerEvents {
  const events = use(ServerEventsContext);
  if (!events) throw new Error("ServerEventsProvider is missing above this component");
  return events;
}

export function useFeedState(): FeedState {
  const { feed } = useServerEvents();
  return useSyncExternalStore(feed.onState, () => feed.state);
}

export function useOperationLog(): OperationLog {
  return useServerEvents().operations;
}

export function useOperations(): readonly Operation[] {
  const log = useOperationLog();
  return useSyncExternalStore(log.subscribe, () => log.all);
}

const POLL_MS = 1000;

/** Returns the latest state of an operation. Polls the server while the event connection is down. */
export function useOperation(id: string | undefined): Operation | undefined {
  const log = useOperationLog();
  const offline = useFeedState() !== "open";
  const known = useOperations().find((operation) => operation.operation_id === id);
  const polled = useQuery({
    ...operationQuery(id ?? ""),
    enabled: id !== undefined && offline && known?.state !== "succeeded" && known?.state !== "failed",
    refetchInterval: POLL_MS,
  }).data;
  useEffect(() => {
    if (polled) log.put(polled);
  }, [polled, log]);
  return known ?? polled;
}
