import { expect, test } from "vitest";
import type { StreamWindow } from "../api/types";
import { applyMessage, applyThreshold, EMPTY_SESSION, pickShownLabels } from "./session-state";

const model = { model_id: 1, model_name: "Starter", version: null, digest: "ab", precision: "float32" as const };
const ready = {
  type: "ready" as const,
  model,
  generation: 1,
  spec: { window_seconds: 1, hop_seconds: 0.5, labels: ["dog", "rain"], thresholds: { dog: 0.6 } },
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

test("a crossing is recorded when a score rises to its threshold, not while it stays above", () => {
  const after = [0.2, 0.7, 0.8, 0.1, 0.6].reduce(
    (session, dog, index) => applyMessage(session, window(index / 2, dog), 0),
    started,
  );
  expect(after.crossings.filter((each) => each.label === "dog").map((each) => each.at)).toEqual([2, 0.5]);
});

test("a threshold set by hand survives a reconnection", () => {
  const set = applyThreshold(started, "dog", 0.3);
  expect(applyMessage(set, ready, 12).thresholds.dog).toBe(0.3);
});

test("after a reconnection times continue from the session's clock", () => {
  const again = applyMessage(applyMessage(started, ready, 12), window(0.5, 0.9), 12);
  expect(again.windows.at(-1)).toMatchObject({ start: 12.5, end: 13.5 });
});

test("a swap is marked, and the new model's labels and hop replace the old ones", () => {
  const swapped = applyMessage(
    started,
    {
      type: "swap",
      at: 3,
      model: { ...model, model_name: "Other" },
      generation: 2,
      spec: { ...ready.spec, labels: ["siren"], hop_seconds: 1 },
    },
    1,
  );
  expect(swapped.swaps).toEqual([{ at: 4, model: { ...model, model_name: "Other" } }]);
  expect(swapped.labels).toEqual(["siren"]);
  expect(swapped.hop).toBe(1);
});

test("windows older than the shown thirty seconds are dropped", () => {
  const long = Array.from({ length: 200 }, (_, index) => window(index / 2, 0.1)).reduce(
    (session, each) => applyMessage(session, each, 0),
    started,
  );
  expect(long.windows.length).toBeLessThan(70);
});

test("of many labels those that scored highest lately are shown, in the model's order", () => {
  const labels = Array.from({ length: 30 }, (_, index) => `l${index}`);
  const scores = Object.fromEntries(labels.map((label, index) => [label, index === 3 || index > 18 ? 0.5 : 0]));
  const session = applyMessage({ ...started, labels }, window(0, 0, { scores }), 0);
  expect(pickShownLabels(session)[0]).toBe("l3");
  expect(pickShownLabels(session)).toHaveLength(12);
});
