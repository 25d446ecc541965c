import type { ModelIdentity, Prediction, ScoredWindow } from "../api/types";

/** What is known of a recording: the answer, or the windows that were scored so far. */
export type ClipScores = Pick<Prediction, "model" | "windows" | "events">;

/** The windows that were scored while the others are computed. They have no events, and decide nothing. */
export interface PartialPrediction extends ClipScores {
  partial: true;
  /** Seconds from the start of the recording up to which windows were scored. */
  until: number;
}

export const isPartial = (scores: ClipScores): scores is PartialPrediction => "partial" in scores;

export const startPartial = (model: ModelIdentity): PartialPrediction => ({
  partial: true,
  model,
  windows: [],
  events: [],
  until: 0,
});

/** Returns a new prediction with more windows. The list of windows itself grows: of an hour copies would take long. */
export function addWindows(before: PartialPrediction, more: readonly ScoredWindow[]): PartialPrediction {
  before.windows.push(...more);
  return { ...before, until: more.at(-1)?.end ?? before.until };
}

/** Returns the labels to draw: those drawn before keep their row while they are among the best. */
export function keepRows(before: readonly string[], best: readonly string[]): string[] {
  const coming = best.filter((label) => !before.includes(label));
  const kept = before.slice(0, best.length).map((label) => (best.includes(label) ? label : coming.shift()));
  return [...kept, ...coming].filter((label) => label !== undefined);
}
