import { expect, test } from "vitest";
import { CaptureClock } from "./capture-clock";

test("time is what was captured, also when blocks are counted late or in a burst", () => {
  const clock = new CaptureClock(1000, 50);
  expect(clock.add(500, 50_500)).toBe(false);
  expect(clock.add(500, 51_400)).toBe(false);
  expect(clock.add(500, 51_500)).toBe(false);
  expect(clock.time).toBe(51.5);
});

test("a pause of the capture is an interruption, and the clock jumps over it", () => {
  const clock = new CaptureClock(1000, 50);
  clock.add(500, 50_500);
  expect(clock.add(500, 110_000)).toBe(true);
  expect(clock.time).toBeCloseTo(110);
});
