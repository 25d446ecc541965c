import type { ModelIdentity, Problem, StreamMessage, StreamWindow } from "../api/types";

export const SHOWN_SECONDS = 30;
const MOST_CROSSINGS = 200;
const DEFAULT_THRESHOLD = 0.5;

export interface ModelSwap {
  at: number;
  model: ModelIdentity;
}

export interface ThresholdCrossing {
  at: number;
  label: string;
  score: number;
  model: string;
}

/** What the page shows of a microphone session. Immutable: each change makes a new object. Times are in seconds. */
export interface SessionState {
  labels: readonly string[];
  windows: readonly StreamWindow[];
  hop: number;
  swaps: readonly ModelSwap[];
  crossings: readonly ThresholdCrossing[];
  thresholds: Readonly<Record<string, number>>;
  model: ModelIdentity | undefined;
  problem: Problem | undefined;
}

export const EMPTY_SESSION: SessionState = {
  labels: [],
  windows: [],
  hop: 0.48,
  swaps: [],
  crossings: [],
  thresholds: {},
  model: undefined,
  problem: undefined,
};

export const getThreshold = (session: SessionState, label: string): number =>
  session.thresholds[label] ?? DEFAULT_THRESHOLD;

/** Returns the session after a message of a stream that began `offset` seconds into the session. */
export function applyMessage(session: SessionState, message: StreamMessage, offset: number): SessionState {
  switch (message.type) {
    case "ready":
      return {
        ...session,
        labels: message.spec.labels,
        hop: message.spec.hop_seconds,
        // A threshold that the user set stays after a reconnection.
        thresholds: { ...message.spec.thresholds, ...session.thresholds },
        model: message.model,
        problem: undefined,
      };
    case "window":
      return addWindow(session, { ...message, start: message.start + offset, end: message.end + offset });
    case "swap":
      return {
        ...session,
        model: message.model,
        swaps: [...session.swaps, { at: message.at + offset, model: message.model }],
        labels: message.spec.labels,
        hop: message.spec.hop_seconds,
        thresholds: { ...message.spec.thresholds, ...session.thresholds },
      };
    case "error":
      return { ...session, problem: message.problem };
  }
}

function addWindow(session: SessionState, window: StreamWindow): SessionState {
  const before = session.windows.at(-1);
  const names = window.scores ? Object.keys(window.scores) : session.labels;
  const rising = names.filter((label) => {
    const threshold = getThreshold(session, label);
    return (window.scores?.[label] ?? 0) >= threshold && (before?.scores?.[label] ?? 0) < threshold;
  });
  const crossings = rising.map((label) => ({
    at: window.start,
    label,
    score: window.scores?.[label] ?? 0,
    model: window.model.model_name,
  }));
  const oldest = window.end - SHOWN_SECONDS - session.hop;
  return {
    ...session,
    labels:
      names.length === session.labels.length && names.every((name) => session.labels.includes(name))
        ? session.labels
        : names,
    windows: [...session.windows.filter((each) => each.end > oldest), window],
    crossings: crossings.length > 0 ? [...crossings, ...session.crossings].slice(0, MOST_CROSSINGS) : session.crossings,
  };
}

export function applyThreshold(session: SessionState, label: string, threshold: number): SessionState {
  return { ...session, thresholds: { ...session.thresholds, [label]: threshold } };
}

const MOST_ROWS = 12;

/** Returns the labels to show: all of a small model, else the highest of the shown windows, in the model's order. */
export function pickShownLabels(session: SessionState): readonly string[] {
  if (session.labels.length <= MOST_ROWS) return session.labels;
  const peaks = new Map<string, number>();
  for (const window of session.windows) {
    for (const [label, score] of Object.entries(window.scores ?? {})) {
      peaks.set(label, Math.max(score, peaks.get(label) ?? 0));
    }
  }
  const ranked = [...session.labels].sort((one, other) => (peaks.get(other) ?? 0) - (peaks.get(one) ?? 0));
  const kept = new Set(ranked.slice(0, MOST_ROWS));
  return session.labels.filter((label) => kept.has(label));
}
