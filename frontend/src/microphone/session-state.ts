import type { ModelIdentity, Problem } from "../api/types";
import type { LiveWindow, ServerMessage } from "./stream-messages";

export const SHOWN_SECONDS = 30;
const MOST_CROSSINGS = 200;
const DEFAULT_THRESHOLD = 0.5;

export interface Swap {
  at: number;
  model: ModelIdentity;
}

export interface Crossing {
  at: number;
  label: string;
  score: number;
  model: string;
}

/** Everything heard so far that the page still shows. Values are replaced, never changed in place. */
export interface LiveRecord {
  labels: readonly string[];
  windows: readonly LiveWindow[];
  hop: number;
  swaps: readonly Swap[];
  crossings: readonly Crossing[];
  thresholds: Readonly<Record<string, number>>;
  model: ModelIdentity | undefined;
  problem: Problem | undefined;
}

export const EMPTY_RECORD: LiveRecord = {
  labels: [],
  windows: [],
  hop: 0.48,
  swaps: [],
  crossings: [],
  thresholds: {},
  model: undefined,
  problem: undefined,
};

export const thresholdOf = (record: LiveRecord, label: string): number => record.thresholds[label] ?? DEFAULT_THRESHOLD;

/** The record after a message of a stream that began at `offset` seconds. */
export function received(record: LiveRecord, message: ServerMessage, offset: number): LiveRecord {
  switch (message.type) {
    case "ready":
      return {
        ...record,
        labels: message.spec.labels,
        hop: message.spec.hop_seconds,
        // What a person set by hand outlives a reconnection.
        thresholds: { ...message.spec.thresholds, ...record.thresholds },
        model: message.model,
        problem: undefined,
      };
    case "window":
      return heard(record, { ...message, start: message.start + offset, end: message.end + offset });
    case "swap":
      return {
        ...record,
        model: message.model,
        swaps: [...record.swaps, { at: message.at + offset, model: message.model }],
        ...(message.spec && { labels: message.spec.labels, hop: message.spec.hop_seconds }),
        thresholds: { ...message.spec?.thresholds, ...record.thresholds },
      };
    case "error":
      return { ...record, problem: message.problem };
  }
}

function heard(record: LiveRecord, window: LiveWindow): LiveRecord {
  const before = record.windows.at(-1);
  const names = Object.keys(window.scores);
  const rising = names.filter((label) => {
    const threshold = thresholdOf(record, label);
    return (window.scores[label] ?? 0) >= threshold && (before?.scores[label] ?? 0) < threshold;
  });
  const crossings = rising.map((label) => ({
    at: window.start,
    label,
    score: window.scores[label] ?? 0,
    model: window.model.model_name,
  }));
  const oldest = window.end - SHOWN_SECONDS - record.hop;
  return {
    ...record,
    labels:
      names.length === record.labels.length && names.every((name) => record.labels.includes(name))
        ? record.labels
        : names,
    windows: [...record.windows.filter((each) => each.end > oldest), window],
    crossings: crossings.length > 0 ? [...crossings, ...record.crossings].slice(0, MOST_CROSSINGS) : record.crossings,
  };
}

export function withThreshold(record: LiveRecord, label: string, threshold: number): LiveRecord {
  return { ...record, thresholds: { ...record.thresholds, [label]: threshold } };
}

const MOST_ROWS = 12;

/** The labels that get a row: all of a small model; of a large one those that scored highest lately, in its order. */
export function shownLabels(record: LiveRecord): readonly string[] {
  if (record.labels.length <= MOST_ROWS) return record.labels;
  const peaks = new Map<string, number>();
  for (const window of record.windows) {
    for (const [label, score] of Object.entries(window.scores)) {
      peaks.set(label, Math.max(score, peaks.get(label) ?? 0));
    }
  }
  const ranked = [...record.labels].sort((one, other) => (peaks.get(other) ?? 0) - (peaks.get(one) ?? 0));
  const kept = new Set(ranked.slice(0, MOST_ROWS));
  return record.labels.filter((label) => kept.has(label));
}
