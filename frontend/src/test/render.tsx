import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterProvider,
} from "@tanstack/react-router";
import { act, render } from "@testing-library/react";
import type { ReactNode } from "react";
import { parseSearchParams } from "../models/search-params";
import { type EventConnection, EventFeed } from "../server-events/event-feed";
import { ServerEventsProvider } from "../server-events/provider";

/** An event connection on which a test sends the server's events. */
export class FakeConnection implements EventConnection {
  readyState = 1;
  readonly url: string;
  readonly #listeners: [name: string, listener: (event: MessageEvent) => void][] = [];

  constructor(url: string) {
    this.url = url;
  }

  addEventListener(name: string, listener: (event: MessageEvent) => void): void {
    this.#listeners.push([name, listener]);
  }

  close(): void {
    this.readyState = 2;
  }

  send(event: string, data: unknown = null, id = ""): void {
    const message = new MessageEvent(event, { data: JSON.stringify(data), lastEventId: id });
    for (const [name, listener] of this.#listeners) if (name === event) listener(message);
  }
}

/** Draws an element at "/" with a router, a fresh cache and an event feed that the test drives. */
export async function renderPage(element: ReactNode): Promise<{ source: FakeConnection }> {
  const sources: FakeConnection[] = [];
  const feed = new EventFeed((url) => {
    const made = new FakeConnection(url);
    sources.push(made);
    return made;
  });
  const root = createRootRoute();
  const home = createRoute({
    getParentRoute: () => root,
    path: "/",
    component: () => element,
    validateSearch: parseSearchParams,
  });
  const model = createRoute({ getParentRoute: () => root, path: "/models/$id", component: () => element });
  const router = createRouter({
    routeTree: root.addChildren([home, model]),
    history: createMemoryHistory({ initialEntries: ["/"] }),
  });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  await act(async () => {
    render(
      <QueryClientProvider client={client}>
        <ServerEventsProvider feed={feed}>
          {/* The tests' router has fewer routes than the registered router type. */}
          <RouterProvider router={router as never} />
        </ServerEventsProvider>
      </QueryClientProvider>,
    );
  });
  const source = sources[0];
  if (!source) throw new Error("The feed opened no source");
  return { source };
}
