import { expect, test, vi } from "vitest";
import { FakeConnection } from "../test/render";
import { EventFeed } from "./event-feed";

function makeFeed() {
  const connections: FakeConnection[] = [];
  const feed = new EventFeed((url) => {
    const connection = new FakeConnection(url);
    connections.push(connection);
    return connection;
  });
  return { feed, connections };
}

test("an event reaches its own listener with its data", () => {
  const { feed, connections } = makeFeed();
  const received = vi.fn();
  feed.on("models", received);
  feed.start();
  connections[0]?.send("stage", { generation: 2 }, "6");
  connections[0]?.send("models", { model_id: 3, change: "compiled" }, "7");
  expect(received.mock.calls).toEqual([[{ model_id: 3, change: "compiled" }]]);
});

test("a connection that the browser gave up is opened again from the last id seen", () => {
  vi.useFakeTimers();
  const { feed, connections } = makeFeed();
  feed.start();
  const [first] = connections;
  first?.send("open");
  first?.send("models", {}, "41");
  if (first) first.readyState = 2;
  first?.send("error");
  expect(feed.state).toBe("offline");
  vi.advanceTimersByTime(600);
  expect(connections[1]?.url).toBe("/api/v1/events?last_event_id=41");
  connections[1]?.send("open");
  expect(feed.state).toBe("open");
  vi.useRealTimers();
});

test("a connection that the browser repairs by itself is left to it", () => {
  vi.useFakeTimers();
  const { feed, connections } = makeFeed();
  feed.start();
  if (connections[0]) connections[0].readyState = 0;
  connections[0]?.send("error");
  vi.advanceTimersByTime(60_000);
  expect(connections).toHaveLength(1);
  vi.useRealTimers();
});
