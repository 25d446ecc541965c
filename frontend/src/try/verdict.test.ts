import { expect, test } from "vitest";
import type { Prediction } from "../api/types";
import { makePrediction, makeWindow } from "../test/fixtures";
import { decideVerdict } from "./verdict";

const windows = [makeWindow(0, { dog: 0.4, rain: 0.1 }), makeWindow(1, { dog: 0.3, rain: 0.2 })];
const clip = makePrediction(windows);
const unscored = { ...makeWindow(2, {}), label: null, score: null, scores: null };
const silent = { ...clip.audio, silent: true };

test("the highest event leads, and each other label follows with its own", () => {
  const events = [
    { label: "rain", start: 0, end: 1, peak: 0.7 },
    { label: "dog", start: 0, end: 1, peak: 0.8 },
    { label: "dog", start: 1.4, end: 2, peak: 0.95 },
  ];
  expect(decideVerdict({ ...clip, events }, { dog: 0.5, rain: 0.5 })).toEqual({
    kind: "event",
    headline: "dog at 0:01.4, 95.0%",
    lines: ["rain at 0:00.0, 70.0%"],
  });
});

test("without an event, the label nearest to its threshold is named below the headline", () => {
  expect(decideVerdict(clip, { dog: 0.5, rain: 0.25 })).toEqual({
    kind: "nothing",
    headline: "Nothing reached its threshold",
    lines: ["Nearest was rain at 0:01.0: 20.0%, and it counts from 25.0%."],
  });
});

test("windows that list only their best labels name no nearest one, which may be left out of them", () => {
  const abridged = { ...clip, scores: { ...clip.scores, siren: 0.3 } };
  expect(decideVerdict(abridged, { dog: 0.5, siren: 0.31 }).lines).toEqual([]);
});

test.each<[string, Partial<Prediction>]>([
  ["a window that was not scored", { windows: [...windows, unscored] }],
  ["a cut file", { findings: [{ code: "truncated", detail: "It ends early." }] }],
  ["a second track", { findings: [{ code: "unheard_stream", detail: "A second track." }] }],
])("%s is never drawn as if nothing had happened", (_, own) => {
  const verdict = decideVerdict({ ...clip, ...own }, { dog: 0.5 });
  expect(verdict.kind).toBe("undecided");
  expect(verdict.headline).toBe("Nothing reached its threshold in what was scored");
  expect(verdict.lines).toContain("Parts of the recording were not scored. What they hold is not known.");
});

test("a finding about sound that was scored does not weaken the verdict", () => {
  const assumed = { ...clip, findings: [{ code: "sample_rate_assumed" as const, detail: "16 kHz was assumed." }] };
  expect(decideVerdict(assumed, { dog: 0.5 }).kind).toBe("nothing");
});

test("a silent recording has no label as its headline, whatever the scores", () => {
  expect(decideVerdict({ ...clip, audio: silent }, {}).headline).toBe("The recording is silent");
});

test("an event in a silent recording is named all the same", () => {
  const events = [{ label: "dog", start: 1, end: 2, peak: 0.9 }];
  expect(decideVerdict({ ...clip, audio: silent, events }, { dog: 0.5 }).lines).toContain("dog at 0:01.0, 90.0%");
});

test("a model without thresholds decides nothing, and says so", () => {
  const verdict = decideVerdict(clip, {});
  expect([verdict.kind, verdict.headline]).toEqual(["undecided", "Most like dog, 90.0%"]);
  expect(verdict.lines[0]).toMatch(/no thresholds/);
});

test("while the thresholds are not known, no statement about them is made", () => {
  expect(decideVerdict(clip, undefined)).toMatchObject({ kind: "undecided", headline: "No event was reported" });
});
