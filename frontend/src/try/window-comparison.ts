import type { Prediction, ScoredWindow } from "../api/types";
import type { ClipScores } from "./partial-prediction";
import type { TimeSpan } from "./time-view";

const getCenter = (window: ScoredWindow) => (window.start + window.end) / 2;

/** Returns the window whose center is nearest to `time` (seconds). `windows` are in order of time. */
export function findWindowAt(windows: readonly ScoredWindow[], time: number): ScoredWindow | undefined {
  let low = 0;
  let high = windows.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    const here = windows[middle] as ScoredWindow;
    const next = windows[middle + 1] as ScoredWindow;
    if (Math.abs(getCenter(next) - time) < Math.abs(getCenter(here) - time)) low = middle + 1;
    else high = middle;
  }
  return windows[low];
}

export interface WindowComparison {
  /** The first model's windows for which the second model names another label at the same time. */
  different: ScoredWindow[];
  /** The number of windows that both models scored. Nothing is known about the others. */
  compared: number;
}

export function compareWindows(first: Prediction, second: Prediction): WindowComparison {
  const pairs = first.windows.map((window) => ({
    window,
    label: findWindowAt(second.windows, getCenter(window))?.label,
  }));
  const scored = pairs.filter(({ window, label }) => window.label !== null && label !== null && label !== undefined);
  return {
    different: scored.filter(({ window, label }) => window.label !== label).map(({ window }) => window),
    compared: scored.length,
  };
}

/** Returns where each window is drawn: up to the start of the next one, so that windows do not overlap. */
export function computeCells(windows: readonly ScoredWindow[]): TimeSpan[] {
  return windows.map((window, index) => ({ start: window.start, end: windows[index + 1]?.start ?? window.end }));
}

/** Returns each label's highest score in any window. */
export function findPeakScores(windows: readonly ScoredWindow[]): Map<string, number> {
  const peaks = new Map<string, number>();
  for (const { scores } of windows) {
    for (const label in scores) {
      const score = scores[label] ?? 0;
      if (score > (peaks.get(label) ?? 0)) peaks.set(label, score);
    }
  }
  return peaks;
}

const known = new WeakMap<ClipScores, ReadonlyMap<string, number>>();

/** Keeps the highest scores of a prediction that a worker has computed: of a long clip they take a while. */
export const keepPeakScores = (prediction: Prediction, peaks: ReadonlyMap<string, number>): void =>
  void known.set(prediction, peaks);

function getPeakScores(prediction: ClipScores): ReadonlyMap<string, number> {
  const peaks = known.get(prediction) ?? findPeakScores(prediction.windows);
  known.set(prediction, peaks);
  return peaks;
}

const rankByScore = (peaks: ReadonlyMap<string, number>): string[] =>
  [...peaks].sort(([, one], [, other]) => other - one).map(([label]) => label);

/** Returns the `most` labels with the highest score in any window, highest first. */
export function rankLabels(prediction: ClipScores, most: number): string[] {
  return rankByScore(getPeakScores(prediction)).slice(0, most);
}

export interface AlignedLabels {
  /** The rows of each model: the labels that both know first, in one order, then the highest of its own. */
  rows: [string[], string[]];
  shared: number;
  /** The number of labels that only one of them knows. */
  own: readonly [number, number];
}

/** Lines up the rows of two models, at most `most` each. */
export function alignLabels(first: Prediction, second: Prediction, most: number): AlignedLabels {
  const has = [new Set(Object.keys(first.scores)), new Set(Object.keys(second.scores))] as const;
  const shared = [...has[0]].filter((label) => has[1].has(label));
  const peaks = [getPeakScores(first), getPeakScores(second)] as const;
  const highest = new Map(shared.map((label) => [label, Math.max(peaks[0].get(label) ?? 0, peaks[1].get(label) ?? 0)]));
  const own = [has[0].size - shared.length, has[1].size - shared.length] as const;
  // One row at least is kept for what only one model knows.
  const common = rankByScore(highest).slice(0, own[0] + own[1] > 0 ? most - 1 : most);
  const fill = (of: 0 | 1) => {
    const others = rankByScore(peaks[of]).filter((label) => !has[of === 0 ? 1 : 0].has(label));
    return [...common, ...others.slice(0, most - common.length)];
  };
  return { rows: [fill(0), fill(1)], shared: shared.length, own };
}

/** Joins spans that touch or lie closer than `gap` seconds. They are in order of time. */
export function joinSpans(spans: readonly TimeSpan[], gap: number): TimeSpan[] {
  const joined: TimeSpan[] = [];
  for (const { start, end } of spans) {
    const last = joined.at(-1);
    if (last && start - last.end <= gap) last.end = Math.max(last.end, end);
    else joined.push({ start, end });
  }
  return joined;
}
