import type { BatchLine, Prediction, Problem } from "../../api/types";
import { findPeaks, isIncomplete, type Thresholds } from "../verdict";

/** What one model decided on one recording. */
export interface Answer {
  /** The label decided on; null where nothing reached its threshold or the recording is silent. */
  label: string | null;
  at: number | null;
  score: number | null;
  /** False for an answer that knows only a part of the recording. */
  complete: boolean;
  problem: Problem | null;
}

export function toAnswer(line: BatchLine, thresholds: Thresholds): Answer {
  const { prediction, problem } = line;
  if (!prediction) return { label: null, at: null, score: null, complete: false, problem: problem ?? null };
  const complete = !isIncomplete(prediction);
  const [peak] = findPeaks(prediction.events);
  if (peak) return { label: peak.label, at: peak.start, score: peak.peak, complete, problem: null };
  const decides = namesItsHighestLabel(prediction, thresholds);
  return {
    label: decides ? prediction.label : null,
    at: null,
    score: decides ? prediction.score : null,
    complete,
    problem: null,
  };
}

const namesItsHighestLabel = (prediction: Prediction, thresholds: Thresholds) =>
  thresholds !== undefined && Object.keys(thresholds).length === 0 && !prediction.audio.silent;

/** Tells whether two answers decide the same; undefined where one of them is missing or was refused. */
export function compareAnswers(one: Answer | undefined, other: Answer | undefined): boolean | undefined {
  if (!one || !other || one.problem || other.problem) return undefined;
  return one.label === other.label;
}

/** Counts the recordings on which the models agree, of those that both answered. */
export function countAgreement(pairs: readonly (readonly [Answer | undefined, Answer | undefined])[]): {
  agreed: number;
  compared: number;
} {
  const compared = pairs.map(([one, other]) => compareAnswers(one, other)).filter((each) => each !== undefined);
  return { agreed: compared.filter(Boolean).length, compared: compared.length };
}
