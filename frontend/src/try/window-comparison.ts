import type { Prediction, ScoredWindow } from "../api/types";

export interface TimeSpan {
  start: number;
  end: number;
}

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

/** Returns the first model's windows for which the second model predicts another label at the same time. */
export function findDisagreements(first: Prediction, second: Prediction): ScoredWindow[] {
  return first.windows.filter((window) => findWindowAt(second.windows, getCenter(window))?.label !== window.label);
}

/** Returns where each window is drawn: up to the start of the next one, so that windows do not overlap. */
export function computeCells(windows: readonly ScoredWindow[]): TimeSpan[] {
  return windows.map((window, index) => ({ start: window.start, end: windows[index + 1]?.start ?? window.end }));
}

/** Returns the `most` labels with the highest score in any window, highest first. */
export function rankLabels(prediction: Prediction, most: number): string[] {
  const peaks = new Map<string, number>();
  for (const window of prediction.windows) {
    for (const [label, score] of Object.entries(window.scores ?? {})) {
      if (score > (peaks.get(label) ?? 0)) peaks.set(label, score);
    }
  }
  return [...peaks]
    .sort(([, one], [, other]) => other - one)
    .slice(0, most)
    .map(([label]) => label);
}
