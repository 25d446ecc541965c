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

/** Follows the server's events: what they name is fetched again, and operations are kept for the page to show. */
export function ServerEventsProvider({ children, feed: given }: { children: ReactNode; feed?: EventFeed }) {
  const client = useQueryClient();
  const [live] = useState<ServerEvents>(() => ({ feed: given ?? new EventFeed(), operations: new OperationLog() }));

  useEffect(() => {
    const refresh = (...keys: string[]) => {
      for (const key of keys) void client.invalidateQueries({ queryKey: [key] });
    };
    const endEvents = live.feed.onEvent((event, data) => {
      if (event === "operation") live.operations.put(data as Operation);
      if (event === "models") refresh("models", "history");
      if (event === "stage") refresh("models", "history", "status", "metrics");
    });
    let wasOpen = false;
    const endState = live.feed.onState(() => {
      if (live.feed.state !== "open") return;
      // Whatever happened during the outage is not replayed when the server itself was started anew.
      if (wasOpen) refresh("models", "history", "status", "metrics", "demo-clips");
      wasOpen = true;
    });
    live.feed.start();
    return () => {
      endEvents();
      endState();
      live.feed.stop();
    };
  }, [client, live]);

  return <ServerEventsContext value={live}>{children}</ServerEventsContext>;
}

function useServerEvents(): ServerEvents {
  const live = use(ServerEventsContext);
  if (!live) throw new Error("LiveProvider is missing above this component");
  return live;
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

/** One operation as it goes; polled while events do not come. */
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
