import { expect, test } from "vitest";
import { getView, isWhole, moveView, zoomView } from "./time-view";

test("the address says which part of the clip is in view, within the clip", () => {
  expect(getView(undefined, undefined, 10)).toEqual({ start: 0, end: 10 });
  expect(getView(2, 40, 10)).toEqual({ start: 2, end: 10 });
  expect(getView(20, 40, 10)).toEqual({ start: 0, end: 10 });
});

test("zooming keeps the point under the cursor in its place, and stays within the clip", () => {
  expect(zoomView({ start: 0, end: 10 }, 0.5, 5, 10)).toEqual({ start: 2.5, end: 7.5 });
  expect(zoomView({ start: 0, end: 10 }, 0.5, 10, 10)).toEqual({ start: 5, end: 10 });
  const out = zoomView({ start: 5, end: 10 }, 4, 9, 10);
  expect(out).toEqual({ start: 0, end: 10 });
  expect(isWhole(out, 10)).toBe(true);
});

test("a view moves by half of its length until the clip ends", () => {
  expect(moveView({ start: 0, end: 4 }, 0.5, 10)).toEqual({ start: 2, end: 6 });
  expect(moveView({ start: 5, end: 9 }, 0.5, 10)).toEqual({ start: 6, end: 10 });
  expect(moveView({ start: 1, end: 5 }, -0.5, 10)).toEqual({ start: 0, end: 4 });
});
