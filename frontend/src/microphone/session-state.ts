import type { Finding, ModelIdentity, Problem, StreamMessage, StreamWindow } from "../api/types";
import { type Crossing, trackCrossings } from "./crossings";

export const SHOWN_SECONDS = 30;
const MOST_GAPS = 500;
const DEFAULT_THRESHOLD = 0.5;
/** Windows may be rounded to samples; a smaller distance between two of them is no gap. */
const SMALLEST_GAP_SECONDS = 0.25;

export interface ModelSwap {
  at: number;
  model: ModelIdentity;
}

/** A stretch of sound that no window covers. */
export interface Gap {
  from: number;
  to: number;
}

/** What the page shows of a microphone session. Immutable: each change makes a new object. Times: seconds since 1970. */
export interface SessionState {
  labels: readonly string[];
  windows: readonly StreamWindow[];
  hop: number;
  windowSeconds: number;
  /** All sound up to here was scored, or is in `gaps`. Undefined before the first answer. */
  heardUntil: number | undefined;
  gaps: readonly Gap[];
  swaps: readonly ModelSwap[];
  crossings: readonly Crossing[];
  /** Thresholds of the model's spec. */
  specThresholds: Readonly<Record<string, number>>;
  /** Thresholds that a person set here. */
  ownThresholds: Readonly<Record<string, number>>;
  pinned: readonly string[];
  model: ModelIdentity | undefined;
  /** The newest finding of each code: about the model, and about the sound. */
  findings: readonly Finding[];
  problem: Problem | undefined;
}

export const EMPTY_SESSION: SessionState = {
  labels: [],
  windows: [],
  hop: 0.48,
  windowSeconds: 0.96,
  heardUntil: undefined,
  gaps: [],
  swaps: [],
  crossings: [],
  specThresholds: {},
  ownThresholds: {},
  pinned: [],
  model: undefined,
  findings: [],
  problem: undefined,
};

export const getThreshold = (session: SessionState, label: string): number =>
  session.ownThresholds[label] ?? session.specThresholds[label] ?? DEFAULT_THRESHOLD;

/** Returns the session after a message of a stream whose first sample has the time `offset`. */
export function applyMessage(session: SessionState, message: StreamMessage, offset: number): SessionState {
  switch (message.type) {
    case "ready":
      return {
        ...applySpec(session, message),
        heardUntil: session.heardUntil ?? offset,
        findings: addFindings(ofSound(session), message.findings),
        problem: undefined,
      };
    case "window":
      return addWindow(session, {
        ...message,
        start: message.start + offset,
        end: message.end + offset,
        findings: message.findings.map((each) => shiftFinding(each, offset)),
      });
    case "swap":
      return {
        ...applySpec(session, message),
        swaps: [...session.swaps, { at: message.at + offset, model: message.model }],
        findings: addFindings(ofSound(session), message.findings),
      };
    case "heartbeat":
      return session;
    case "error":
      return { ...session, problem: message.problem };
  }
}

function applySpec(
  session: SessionState,
  { spec, model }: Extract<StreamMessage, { type: "ready" | "swap" }>,
): SessionState {
  return {
    ...session,
    model,
    labels: spec.labels,
    hop: spec.hop_seconds,
    windowSeconds: spec.window_seconds,
    specThresholds: spec.thresholds,
  };
}

/** Returns the findings that stay when another model answers. */
const ofSound = (session: SessionState) => session.findings.filter((each) => each.code !== "sample_rate_assumed");

function addFindings(before: readonly Finding[], found: readonly Finding[]): readonly Finding[] {
  if (found.length === 0) return before;
  const codes = new Set(found.map((each) => each.code));
  return [...before.filter((each) => !codes.has(each.code)), ...found];
}

const shiftFinding = (finding: Finding, offset: number): Finding => ({
  ...finding,
  start: finding.start == null ? null : finding.start + offset,
  end: finding.end == null ? null : finding.end + offset,
});

function addWindow(session: SessionState, window: StreamWindow): SessionState {
  const heardUntil = session.heardUntil ?? window.start;
  const contiguous = window.start - heardUntil <= SMALLEST_GAP_SECONDS;
  const names = window.scores ? Object.keys(window.scores) : session.labels;
  const oldest = window.end - SHOWN_SECONDS - session.hop;
  return {
    ...session,
    labels:
      names.length === session.labels.length && names.every((name, index) => session.labels[index] === name)
        ? session.labels
        : names,
    windows: [...session.windows.filter((each) => each.end > oldest), window],
    heardUntil: Math.max(heardUntil, window.end),
    gaps: contiguous ? session.gaps : [...session.gaps, { from: heardUntil, to: window.start }].slice(-MOST_GAPS),
    crossings: trackCrossings(session.crossings, window, contiguous, (label) => getThreshold(session, label)),
    findings: addFindings(session.findings, window.findings),
  };
}

export function applyThreshold(session: SessionState, label: string, threshold: number): SessionState {
  return { ...session, ownThresholds: { ...session.ownThresholds, [label]: threshold } };
}

export function togglePin(session: SessionState, label: string): SessionState {
  const pinned = session.pinned.includes(label)
    ? session.pinned.filter((each) => each !== label)
    : [...session.pinned, label];
  return { ...session, pinned };
}

const MOST_ROWS = 12;

/** Returns the labels to show: all of a small model, else the pinned ones, then the highest of the shown windows. */
export function pickShownLabels(session: SessionState): readonly string[] {
  if (session.labels.length <= MOST_ROWS) return session.labels;
  const peaks = new Map<string, number>();
  for (const window of session.windows) {
    for (const [label, score] of Object.entries(window.scores ?? {})) {
      if (score > (peaks.get(label) ?? 0)) peaks.set(label, score);
    }
  }
  const pinned = session.labels.filter((label) => session.pinned.includes(label));
  const others = session.labels.filter((label) => !session.pinned.includes(label));
  others.sort((one, other) => (peaks.get(other) ?? 0) - (peaks.get(one) ?? 0));
  const kept = new Set(others.slice(0, Math.max(0, MOST_ROWS - pinned.length)));
  return [...pinned, ...session.labels.filter((label) => kept.has(label))];
}
