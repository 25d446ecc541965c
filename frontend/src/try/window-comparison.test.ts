import { expect, test } from "vitest";
import { makePrediction, makeWindow } from "../test/fixtures";
import { listCsvParts } from "./export";
import { alignLabels, compareWindows, computeCells, findWindowAt, rankLabels } from "./window-comparison";

const first = makePrediction([0, 1, 2, 3].map((start) => makeWindow(start, { dog: 0.8, rain: 0.2 })));
const second = makePrediction([
  makeWindow(0, { dog: 0.7, rain: 0.3 }),
  makeWindow(1, { dog: 0.1, rain: 0.9 }),
  makeWindow(2, { dog: 0.2, rain: 0.8 }),
  makeWindow(3, { dog: 0.6, rain: 0.4 }),
]);

test("windows in which two models name different labels are found", () => {
  expect(compareWindows(first, second).different.map((window) => window.start)).toEqual([1, 2]);
});

test("windows that one model did not score are not compared", () => {
  const holed = makePrediction([
    { ...makeWindow(0, {}), label: null, score: null, scores: null },
    ...second.windows.slice(1),
  ]);
  expect(compareWindows(first, holed)).toMatchObject({ compared: 3 });
  expect(compareWindows(holed, first)).toMatchObject({ compared: 3 });
});

test("labels that both models know are in the same rows, and the others are counted", () => {
  const siren = makePrediction([makeWindow(0, { dog: 0.1, rain: 0.2, siren: 0.9 })], {
    scores: { dog: 0.1, rain: 0.2, siren: 0.9 },
  });
  const { rows, shared, own } = alignLabels(first, siren, 3);
  expect(rows).toEqual([
    ["dog", "rain"],
    ["dog", "rain", "siren"],
  ]);
  expect([shared, own]).toEqual([2, [0, 1]]);
});

test("models with different windows are compared where their windows' centres are nearest", () => {
  const coarse = makePrediction([
    { ...makeWindow(0, { dog: 1 }), end: 2 },
    { ...makeWindow(2, { rain: 1 }), end: 4 },
  ]);
  expect(compareWindows(first, coarse).different.map((window) => window.start)).toEqual([2, 3]);
});

test("the window at a time is the nearest one, also outside the clip", () => {
  expect(findWindowAt(first.windows, 2.4)?.start).toBe(2);
  expect(findWindowAt(first.windows, 99)?.start).toBe(3);
  expect(findWindowAt([], 1)).toBeUndefined();
});

test("overlapping windows are drawn side by side", () => {
  const overlapping = [makeWindow(0, { dog: 1 }), makeWindow(0.5, { dog: 1 })];
  expect(computeCells(overlapping)).toEqual([
    { start: 0, end: 0.5 },
    { start: 0.5, end: 1.5 },
  ]);
});

test("the labels shown are those with the highest single window", () => {
  expect(rankLabels(second, 1)).toEqual(["rain"]);
});

test("the table to save has a row a window, and names cannot become formulas", () => {
  const named = makePrediction(first.windows.slice(0, 1), {
    model: { model_id: 1, model_name: '=cmd, "x"', version: null, digest: "ab", precision: "float32" },
  });
  const [head, row] = [...listCsvParts([named])].join("").split("\r\n");
  expect(head).toBe("model,version,digest,start,end,label,score,dog,rain");
  expect(row).toBe(`"'=cmd, ""x""",,ab,0,1,dog,0.8,0.8,0.2`);
});
