import { expect, test } from "vitest";
import { makePrediction, makeProblem, makeWindow } from "../../test/fixtures";
import { compareAnswers, countAgreement, toAnswer } from "./agreement";
import { groupFiles } from "./batch-request";

const prediction = makePrediction([makeWindow(0, { dog: 0.4 })]);
const line = { index: 0, file: "a.wav", generation: 1, prediction };
const events = [{ label: "dog", start: 1, end: 2, peak: 0.9 }];

test("an answer is what reached its threshold, or nothing", () => {
  expect(toAnswer({ ...line, prediction: { ...prediction, events } }, { dog: 0.5 })).toMatchObject({
    label: "dog",
    at: 1,
  });
  expect(toAnswer(line, { dog: 0.5 })).toMatchObject({ label: null, complete: true });
});

test("a model without thresholds answers with its highest label, except for silence", () => {
  expect(toAnswer(line, {})).toMatchObject({ label: "dog", score: 0.9 });
  const silent = { ...prediction, audio: { ...prediction.audio, silent: true } };
  expect(toAnswer({ ...line, prediction: silent }, {})).toMatchObject({ label: null });
});

test("an answer that knows only a part of the recording says so", () => {
  const cut = { ...prediction, findings: [{ code: "truncated" as const, detail: "It ends early." }] };
  expect(toAnswer({ ...line, prediction: cut }, { dog: 0.5 }).complete).toBe(false);
});

test("refused recordings are not counted as agreement", () => {
  const refused = toAnswer({ ...line, prediction: null, problem: makeProblem() }, {});
  const dog = toAnswer(line, {});
  const nothing = toAnswer(line, { dog: 0.5 });
  expect(compareAnswers(refused, refused)).toBeUndefined();
  expect(
    countAgreement([
      [dog, dog],
      [dog, nothing],
      [dog, refused],
      [dog, undefined],
    ]),
  ).toEqual({ agreed: 1, compared: 2 });
});

test("files are sent in groups that are small in number and size", () => {
  const make = (bytes: number) => ({ path: "a.wav", file: { size: bytes } as File });
  expect(groupFiles(Array.from({ length: 20 }, () => make(10))).map((group) => group.length)).toEqual([16, 4]);
  expect(groupFiles([make(10_000_000), make(10_000_000), make(90_000_000)]).map((group) => group.length)).toEqual([
    1, 1, 1,
  ]);
});
