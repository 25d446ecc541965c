import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useEffect, useState, useSyncExternalStore } from "react";
import { api, unwrap } from "../api/client";
import { operationQuery } from "../api/queries";
import type { Operation } from "../api/types";
import { EventFeed } from "./event-feed";
import { OperationLog } from "./operation-log";
import { type LinkState, type LinkStatus, ServerLink } from "./server-link";

interface ServerEvents {
  feed: EventFeed;
  link: ServerLink;
  operations: OperationLog;
}

const ASK_MS = 4000;

/** Tells whether the server answers and reads its database. A server that is stopped never answers at all. */
async function askServer(): Promise<boolean> {
  try {
    const status = await unwrap(api.GET("/api/v1/status", { signal: AbortSignal.timeout(ASK_MS) }));
    return status.database.reachable;
  } catch {
    return false;
  }
}

const ServerEventsContext = createContext<ServerEvents | null>(null);

/** Listens to the server's events: fetches again the data that an event names, and keeps the operations. */
export function ServerEventsProvider({ children, feed: given }: { children: ReactNode; feed?: EventFeed }) {
  const client = useQueryClient();
  const [events] = useState<ServerEvents>(() => {
    const feed = given ?? new EventFeed();
    const refreshAll = () => {
      for (const key of ["models", "history", "status", "metrics", "demo-clips", "policies"]) {
        void client.invalidateQueries({ queryKey: [key] });
      }
    };
    return { feed, link: new ServerLink(feed, askServer, refreshAll), operations: new OperationLog() };
  });

  useEffect(() => {
    const { feed, link, operations } = events;
    const refresh = (...keys: string[]) => {
      for (const key of keys) void client.invalidateQueries({ queryKey: [key] });
    };
    feed.on("operation", (operation) => operations.put(operation));
    feed.on("models", () => refresh("models", "history", "policies"));
    feed.on("stage", () => refresh("models", "history", "status", "metrics", "policies"));
    const endLink = link.start();
    // The server ends the events of a session that has ended.
    const removeStateListener = feed.onState(() => {
      if (feed.state === "offline") refresh("session");
    });
    feed.start();
    return () => {
      removeStateListener();
      endLink();
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

export function useServerLink(): LinkStatus {
  const { link } = useServerEvents();
  return useSyncExternalStore(link.subscribe, () => link.status);
}

export function useLinkState(): LinkState {
  return useServerLink().state;
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
  const offline = useLinkState() !== "open";
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
