import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, RouterProvider } from "@tanstack/react-router";
import { act, render } from "@testing-library/react";
import { ListeningProvider } from "../microphone/listening-provider";
import { makeRouter } from "../router";
import { type EventConnection, EventFeed, type EventName } from "../server-events/event-feed";
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

  send(event: EventName | "open" | "error", data: unknown = null, id = ""): void {
    const message = new MessageEvent(event, { data: JSON.stringify(data), lastEventId: id });
    for (const [name, listener] of this.#listeners) if (name === event) listener(message);
    // The server says hello at once.
    if (event === "open") this.send("hello", { replica: "host-1", version: "0.1.0" });
  }
}

interface Rendered {
  /** The page's connection for the server's events. */
  events: FakeConnection;
  /** All connections for events, oldest first: `events` and those that followed it. */
  connections: readonly FakeConnection[];
  /** Returns the address on screen: path and query string. */
  getAddress: () => string;
  unmount: () => void;
}

/** Renders the whole page at an address, with its own cache and an event connection that the test drives. */
export async function renderPage(address: string): Promise<Rendered> {
  const connections: FakeConnection[] = [];
  const feed = new EventFeed((url) => {
    const connection = new FakeConnection(url);
    connections.push(connection);
    return connection;
  });
  const router = makeRouter(createMemoryHistory({ initialEntries: [address] }));
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const { unmount } = await act(async () =>
    render(
      <QueryClientProvider client={client}>
        <ServerEventsProvider feed={feed}>
          <ListeningProvider>
            <RouterProvider router={router} />
          </ListeningProvider>
        </ServerEventsProvider>
      </QueryClientProvider>,
    ),
  );
  const events = connections[0];
  if (!events) throw new Error("The feed opened no connection");
  return { events, connections, getAddress: () => router.state.location.href, unmount };
}
