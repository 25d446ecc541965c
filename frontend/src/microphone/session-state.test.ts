import { expect, test } from "vitest";
import type { StreamWindow } from "../api/types";
import { applyMessage, applyThreshold, EMPTY_SESSION, pickShownLabels, togglePin } from "./session-state";

const model = { model_id: 1, model_name: "Starter", version: null, digest: "ab", precision: "float32" as const };
const ready = {
  type: "ready" as const,
  model,
  generation: 1,
  spec: { window_seconds: 1, hop_seconds: 0.5, labels: ["dog", "rain"], thresholds: { dog: 0.6 } },
  findings: [],
};
const window = (start: number, dog: number, own: Partial<StreamWindow> = {}): StreamWindow => ({
  type: "window",
  start,
  end: start + 1,
  label: "dog",
  score: dog,
  scores: { dog, rain: 1 - dog },
  findings: [],
  model,
  generation: 1,
  ...own,
});
const started = applyMessage(EMPTY_SESSION, ready, 0);
const score = (scores: readonly number[]) =>
  scores.reduce((session, dog, index) => applyMessage(session, window(index / 2, dog), 0), started);
const dogs = (session: typeof started) => session.crossings.filter((each) => each.label === "dog");

test("a crossing lasts while the score stays at its threshold, and keeps its peak", () => {
  expect(dogs(score([0.2, 0.7, 0.8, 0.1, 0.6]))).toMatchObject([
    { start: 2, end: 3, peak: 0.6, open: true },
    { start: 0.5, end: 2, peak: 0.8, threshold: 0.6, open: false },
  ]);
});

test("a label that is above its threshold after unheard sound counts again, and the gap is kept", () => {
  const before = score([0.7, 0.7]);
  const after = applyMessage(applyMessage(before, ready, 20), window(0, 0.9), 20);
  expect(after.gaps).toEqual([{ from: 1.5, to: 20 }]);
  expect(dogs(after)).toMatchObject([
    { start: 20, peak: 0.9, open: true },
    { start: 0, end: 1.5, open: false },
  ]);
});

test("a window that was not scored ends a crossing", () => {
  const after = applyMessage(score([0.7]), window(0.5, 0, { label: null, score: null, scores: null }), 0);
  expect(dogs(applyMessage(after, window(1, 0.7), 0))).toHaveLength(2);
});

test("the sound before the first answer is no gap, and windows in order leave none", () => {
  const first = applyMessage(applyMessage(EMPTY_SESSION, ready, 5), window(0, 0.1), 5);
  expect(applyMessage(first, window(0.5, 0.1), 5).gaps).toEqual([]);
  expect(first.heardUntil).toBe(6);
});

test("a heartbeat changes nothing", () => {
  expect(applyMessage(started, { type: "heartbeat", received: 3 }, 0)).toBe(started);
});

test("a threshold set by hand survives a reconnection", () => {
  const set = applyThreshold(started, "dog", 0.3);
  expect(applyMessage(set, ready, 12).ownThresholds.dog).toBe(0.3);
});

test("the newest finding of each kind is kept, with the session's times, and the model's goes with the model", () => {
  const assumed = { code: "sample_rate_assumed" as const, detail: "48000 Hz is assumed." };
  const cancel = (start: number) => ({
    code: "channels_cancel" as const,
    detail: "They cancel.",
    start,
    end: start + 1,
  });
  const opened = applyMessage(EMPTY_SESSION, { ...ready, findings: [assumed] }, 0);
  const later = [1, 2].reduce(
    (session, start) => applyMessage(session, window(start, 0.1, { findings: [cancel(start)] }), 10),
    opened,
  );
  expect(later.findings).toEqual([assumed, cancel(12)]);
  expect(applyMessage(later, ready, 20).findings).toEqual([cancel(12)]);
});

test("a swap is marked, closes the crossings, and the new model's labels and hop replace the old ones", () => {
  const other = { ...model, model_name: "Other" };
  const spec = { ...ready.spec, labels: ["dog", "siren"], hop_seconds: 1 };
  const swapped = applyMessage(
    score([0.9]),
    { type: "swap", at: 0.5, model: other, generation: 2, spec, findings: [] },
    0,
  );
  expect(swapped.swaps).toEqual([{ at: 0.5, model: other }]);
  expect(swapped.labels).toEqual(["dog", "siren"]);
  expect(swapped.hop).toBe(1);
  const scores = { dog: 0.9, siren: 0.1 };
  expect(dogs(applyMessage(swapped, window(0.5, 0.9, { scores, model: other }), 0))).toHaveLength(2);
});

test("windows older than the shown thirty seconds are dropped", () => {
  expect(score(Array.from({ length: 200 }, () => 0.1)).windows.length).toBeLessThan(70);
});

test("of many labels the pinned ones and those that scored highest lately are shown", () => {
  const labels = Array.from({ length: 30 }, (_, index) => `l${index}`);
  const scores = Object.fromEntries(labels.map((label, index) => [label, index === 3 || index > 18 ? 0.5 : 0]));
  const session = applyMessage({ ...started, labels }, window(0, 0, { scores }), 0);
  expect(pickShownLabels(session)[0]).toBe("l3");
  const pinned = togglePin(session, "l7");
  expect(pickShownLabels(pinned).slice(0, 2)).toEqual(["l7", "l3"]);
  expect(pickShownLabels(pinned)).toHaveLength(12);
  expect(pickShownLabels(togglePin(pinned, "l7"))).not.toContain("l7");
});
