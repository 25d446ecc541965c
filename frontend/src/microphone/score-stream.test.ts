import { beforeEach, expect, test, vi } from "vitest";
import type { StreamMessage } from "../api/types";
import { CaptureClock } from "../audio/capture-clock";
import { type FakeSocket, serveStreams } from "../test/stream";
import { ScoreStream, type StreamState } from "./score-stream";

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

function open() {
  const sockets = serveStreams();
  const states: StreamState[] = [];
  const messages: [type: string, offset: number][] = [];
  const clock = new CaptureClock(1000, 50);
  const stream = new ScoreStream("ws://server/stream", 1000, clock, {
    onState: (state) => states.push(state),
    onMessage: (message, offset) => messages.push([message.type, offset]),
  });
  const wait = (milliseconds: number) => {
    for (let waited = 0; waited < milliseconds; waited += 250) {
      vi.advanceTimersByTime(250);
      stream.watch(Date.now());
    }
  };
  return { sockets, states, messages, clock, stream, wait, last: () => sockets.at(-1) as FakeSocket };
}

const ready: StreamMessage = {
  type: "ready",
  model: { model_id: 1, model_name: "Starter", version: null, digest: "ab", precision: "float32" },
  generation: 1,
  spec: { window_seconds: 1, hop_seconds: 0.5, labels: [], thresholds: {} },
  findings: [],
};
const beat = { type: "heartbeat", received: 0 } as const;

test("heartbeats keep a connection on which no score comes", () => {
  const { wait, last, sockets } = open();
  last().accept();
  last().answer(ready);
  for (let seconds = 0; seconds < 20; seconds += 1) {
    last().answer(beat);
    wait(1000);
  }
  expect(sockets).toHaveLength(1);
});

test("a server that goes silent is left without waiting for its close", () => {
  const { wait, last, sockets, messages, clock } = open();
  const first = last();
  first.accept();
  first.answer(ready);
  clock.add(3000, 53_000);
  wait(7000);
  expect(sockets).toHaveLength(2);
  expect(first.readyState).toBe(3);
  expect(first.onmessage).toBeNull();
  last().accept();
  last().answer(beat);
  expect(messages).toEqual([
    ["ready", 50],
    ["heartbeat", 53],
  ]);
});

test("a handshake that is never answered is tried again", () => {
  const { wait, sockets } = open();
  wait(20_000);
  expect(sockets.length).toBeGreaterThan(2);
});

test("a stopped stream does not connect again", () => {
  const { wait, sockets, states, stream } = open();
  stream.stop();
  wait(20_000);
  expect(sockets).toHaveLength(1);
  expect(states.at(-1)).toBe("idle");
});
