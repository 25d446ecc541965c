import { expect, test } from "vitest";
import { assessHearing } from "./hearing";

const observe = (own: Partial<Parameters<typeof assessHearing>[0]> = {}) =>
  assessHearing({
    connection: "streaming",
    session: { hop: 0.5, windowSeconds: 1, heardUntil: 100 },
    now: 100,
    begun: 90,
    first: false,
    sinceBlock: 0,
    sinceMessage: 0,
    ...own,
  });

test("without an answer for two hops and a second the page is deaf", () => {
  expect(observe({ now: 102 })).toEqual({ kind: "hearing" });
  expect(observe({ now: 103.1, sinceMessage: 3 })).toEqual({ kind: "deaf", cause: "server", since: 100, seconds: 3 });
});

test("the first window of a stream has the time that it takes", () => {
  expect(observe({ now: 103.4, first: true })).toEqual({ kind: "starting" });
  expect(observe({ now: 103.6, first: true })).toMatchObject({ kind: "deaf", cause: "scores" });
});

test("a stream that was opened again after an outage is deaf until its first window", () => {
  expect(observe({ now: 120, first: true })).toMatchObject({ kind: "deaf", seconds: 20 });
});

test.each([
  ["microphone", { sinceBlock: 2, sinceMessage: 0 }],
  ["connection", { connection: "waiting", sinceMessage: 9 }],
  ["server", { connection: "connecting", sinceMessage: 9 }],
  ["scores", { sinceMessage: 0.4 }],
] as const)("the cause is named: %s", (cause, own) => {
  expect(observe({ now: 110, ...own })).toMatchObject({ kind: "deaf", cause });
});

test("a connection that never came counts from the start", () => {
  const session = { hop: 0.5, windowSeconds: 1, heardUntil: undefined };
  expect(observe({ connection: "connecting", session, begun: 97, now: 100 })).toMatchObject({ since: 97, seconds: 3 });
});

test("after a stop nothing is claimed", () => {
  expect(observe({ connection: "idle", now: 500 })).toEqual({ kind: "off" });
});
