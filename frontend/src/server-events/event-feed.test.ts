import { beforeEach, expect, test, vi } from "vitest";
import { FakeConnection } from "../test/render";
import { EventFeed } from "./event-feed";

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

function makeFeed() {
  const connections: FakeConnection[] = [];
  const feed = new EventFeed((url) => {
    const connection = new FakeConnection(url);
    connections.push(connection);
    return connection;
  });
  return { feed, connections };
}

const heartbeat = (at: string, read_at: string) => ({
  at: `2026-11-01T10:00:${at}Z`,
  read_at: `2026-11-01T10:00:${read_at}Z`,
});

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
});

test("a failed connection can be tried again at once, and one that is being tried is left alone", () => {
  const { feed, connections } = makeFeed();
  feed.start();
  feed.hasten();
  expect(connections).toHaveLength(1);
  connections[0]?.send("error");
  feed.hasten();
  feed.hasten();
  expect(connections).toHaveLength(2);
  connections[1]?.send("open");
  feed.hasten();
  expect(connections).toHaveLength(2);
});

test("a connection on which nothing arrives is not open, and is opened again", () => {
  const { feed, connections } = makeFeed();
  feed.start();
  expect(feed.state).toBe("connecting");
  vi.advanceTimersByTime(5000);
  expect(feed.state).toBe("offline");
  expect(connections[0]?.readyState).toBe(2);
  vi.advanceTimersByTime(500);
  expect(connections).toHaveLength(2);
});

test("heartbeats keep the feed open; without them it is offline", () => {
  const { feed, connections } = makeFeed();
  feed.start();
  for (let beat = 0; beat < 5; beat += 1) {
    connections[0]?.send("heartbeat", heartbeat("10", "10"));
    vi.advanceTimersByTime(2000);
    expect(feed.state).toBe("open");
  }
  vi.advanceTimersByTime(4000);
  expect(feed.state).toBe("offline");
});

test("a server that cannot read its database reports no changes, so the feed is not open", () => {
  const { feed, connections } = makeFeed();
  feed.start();
  connections[0]?.send("heartbeat", heartbeat("30", "10"));
  expect(feed.state).toBe("offline");
  connections[0]?.send("heartbeat", heartbeat("32", "31"));
  expect(feed.state).toBe("open");
});
