import { expect, test, vi } from "vitest";
import { FakeConnection } from "../test/render";
import { EventFeed } from "./event-feed";

function feedWithSources() {
  const sources: FakeConnection[] = [];
  const feed = new EventFeed((url) => {
    const source = new FakeConnection(url);
    sources.push(source);
    return source;
  });
  return { feed, sources };
}

test("events reach their listeners with their data", () => {
  const { feed, sources } = feedWithSources();
  const heard = vi.fn();
  feed.onEvent(heard);
  feed.start();
  sources[0]?.send("models", { model_id: 3, change: "compiled" }, "7");
  expect(heard).toHaveBeenCalledWith("models", { model_id: 3, change: "compiled" });
});

test("a connection that the browser gave up is opened again from the last id seen", () => {
  vi.useFakeTimers();
  const { feed, sources } = feedWithSources();
  feed.start();
  const [first] = sources;
  first?.send("open");
  first?.send("models", {}, "41");
  if (first) first.readyState = 2;
  first?.send("error");
  expect(feed.state).toBe("offline");
  vi.advanceTimersByTime(600);
  expect(sources[1]?.url).toBe("/api/v1/events?last_event_id=41");
  sources[1]?.send("open");
  expect(feed.state).toBe("open");
  vi.useRealTimers();
});

test("a connection that the browser repairs by itself is left to it", () => {
  vi.useFakeTimers();
  const { feed, sources } = feedWithSources();
  feed.start();
  if (sources[0]) sources[0].readyState = 0;
  sources[0]?.send("error");
  vi.advanceTimersByTime(60_000);
  expect(sources).toHaveLength(1);
  vi.useRealTimers();
});
