import { expect, test } from "vitest";
import { computeTicks } from "../ui/time-axis";
import { formatBytes, formatClock, formatDuration } from "./numbers";
import { formatAgo, formatUtc } from "./time";

test("sizes carry the unit that keeps them short", () => {
  expect([0, 999, 1310, 999_600, 5_240_112, 2 ** 31].map(formatBytes)).toEqual([
    "0 B",
    "999 B",
    "1.3 kB",
    "1.0 MB",
    "5.2 MB",
    "2.1 GB",
  ]);
});

test("positions round up into the next minute instead of showing sixty seconds", () => {
  expect([0, 4.25, 59.96, 750, 3750].map((seconds) => formatClock(seconds))).toEqual([
    "0:00.0",
    "0:04.3",
    "1:00.0",
    "12:30.0",
    "1:02:30.0",
  ]);
  expect(formatClock(4, 0)).toBe("0:04");
});

test("spans name their two largest units", () => {
  expect([0, 45, 200, 3600, 187_260].map(formatDuration)).toEqual(["0 s", "45 s", "3 min 20 s", "1 h", "2 d 4 h"]);
});

test("a moment shows how long ago it was, and UTC beside it", () => {
  const now = Date.parse("2026-11-23T18:00:00Z");
  expect(formatAgo(now - 7_260_000, now)).toMatch(/2\s?h/);
  expect(formatUtc("2026-11-23T19:00:00+01:00")).toBe("2026-11-23 18:00:00 UTC");
});

test("an axis has round times, both ends included", () => {
  expect(computeTicks(0, 5)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(computeTicks(0, 3600).length).toBeLessThanOrEqual(9);
});
