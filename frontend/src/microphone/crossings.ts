import type { StreamWindow } from "../api/types";

const MOST_CROSSINGS = 1000;

/** A stretch in which a label's score stayed at or above its threshold. Times are seconds since 1970. */
export interface Crossing {
  id: string;
  label: string;
  start: number;
  end: number;
  peak: number;
  threshold: number;
  model: string;
  /** The score has not fallen below the threshold yet. */
  open: boolean;
  acknowledged: boolean;
}

/**
 * Returns the crossings after a window, newest first.
 *
 * A crossing grows while each next window stays at or above the threshold. After unheard sound (`contiguous` is false)
 * and after a switch of the model a label that is above its threshold counts as a new crossing.
 */
export function trackCrossings(
  before: readonly Crossing[],
  window: StreamWindow,
  contiguous: boolean,
  getThreshold: (label: string) => number,
): readonly Crossing[] {
  const scores = window.scores ?? {};
  const model = window.model.model_name;
  const growing = new Set<string>();
  const known = before.map((crossing) => {
    if (!crossing.open) return crossing;
    const score = scores[crossing.label];
    if (!contiguous || crossing.model !== model || score === undefined || score < getThreshold(crossing.label)) {
      return { ...crossing, open: false };
    }
    growing.add(crossing.label);
    return { ...crossing, end: window.end, peak: Math.max(crossing.peak, score) };
  });
  const begun = Object.entries(scores).flatMap(([label, score]) => {
    const threshold = getThreshold(label);
    if (score < threshold || growing.has(label)) return [];
    const { start, end } = window;
    const id = `${label} ${start.toFixed(3)}`;
    return [{ id, label, start, end, peak: score, threshold, model, open: true, acknowledged: false }];
  });
  if (begun.length === 0 && known.every((crossing, index) => crossing === before[index])) return before;
  return [...begun, ...known].slice(0, MOST_CROSSINGS);
}

/** Closes the open crossings, because listening ends. */
export const closeCrossings = (crossings: readonly Crossing[]): readonly Crossing[] =>
  crossings.map((crossing) => (crossing.open ? { ...crossing, open: false } : crossing));
