import type { Prediction } from "../api/types";
import { formatClock, formatPercent } from "../format/numbers";
import { text } from "../text";

const words = text.tryIt.verdict;
const MOST_OTHERS = 3;

type Event = Prediction["events"][number];

/** The labels that must reach a score to count as an event; undefined while it is not known. */
export type Thresholds = Readonly<Record<string, number>> | undefined;

export interface Verdict {
  /** How the headline is drawn: an event, nothing, or an answer that decides nothing. */
  kind: "event" | "nothing" | "silent" | "undecided";
  headline: string;
  /** Sentences that say how far the headline can be trusted, and what else was found. */
  lines: string[];
}

// Sound that was not scored at all. The other findings say how it was scored.
const UNSCORED = new Set(["truncated", "gap", "trailing_data", "unheard_stream", "window_not_scored"]);

/** Tells whether a part of the recording was not scored, so that "nothing" is not known of it. */
export function isIncomplete({ findings, windows }: Prediction): boolean {
  return findings.some(({ code }) => UNSCORED.has(code)) || windows.some(({ scores }) => scores === null);
}

/** Returns each label's highest event, highest first. */
export function findPeaks(events: readonly Event[]): Event[] {
  const peaks = new Map<string, Event>();
  for (const event of events) {
    const known = peaks.get(event.label);
    if (!known || event.peak > known.peak) peaks.set(event.label, event);
  }
  return [...peaks.values()].sort((one, other) => other.peak - one.peak);
}

/** Returns the decision on a recording: the event found, or why none was. */
export function decideVerdict(prediction: Prediction, thresholds: Thresholds): Verdict {
  const peaks = findPeaks(prediction.events);
  const incomplete = isIncomplete(prediction) ? [words.incomplete] : [];
  if (prediction.audio.silent) {
    const heard = peaks.slice(0, MOST_OTHERS).map(describeEvent);
    return { kind: "silent", headline: words.silent, lines: [words.silentLine, ...heard, ...incomplete] };
  }
  const [first, ...others] = peaks;
  if (first) {
    const more = others.length > MOST_OTHERS ? [words.others(others.length - MOST_OTHERS)] : [];
    const lines = [...others.slice(0, MOST_OTHERS).map(describeEvent), ...more, ...incomplete];
    return { kind: "event", headline: describeEvent(first), lines };
  }
  if (thresholds === undefined) return { kind: "undecided", headline: words.noEvents, lines: incomplete };
  if (Object.keys(thresholds).length === 0) {
    const likeliest = words.likeliest(prediction.label, formatPercent(prediction.score));
    return { kind: "undecided", headline: likeliest, lines: [words.noThresholds, ...incomplete] };
  }
  const nearest = describeNearest(prediction, thresholds);
  return {
    kind: incomplete.length > 0 ? "undecided" : "nothing",
    headline: incomplete.length > 0 ? words.nothingScored : words.nothing,
    lines: [...(nearest ? [nearest] : []), ...incomplete],
  };
}

const describeEvent = ({ label, start, peak }: Event): string =>
  words.event(label, formatClock(start), formatPercent(peak));

/**
 * Names the label that came nearest to its threshold. Undefined when the windows list only their best labels, because
 * one that is left out may have been nearer.
 */
function describeNearest(prediction: Prediction, thresholds: Readonly<Record<string, number>>): string | undefined {
  const scored = prediction.windows.find(({ scores }) => scores !== null)?.scores;
  if (scored && Object.keys(scored).length < Object.keys(prediction.scores).length) return undefined;
  let nearest: { label: string; start: number; score: number; threshold: number } | undefined;
  const counted = Object.entries(thresholds);
  for (const { start, scores } of prediction.windows) {
    for (const [label, threshold] of counted) {
      const score = scores?.[label];
      if (score === undefined) continue;
      if (!nearest || threshold - score < nearest.threshold - nearest.score)
        nearest = { label, start, score, threshold };
    }
  }
  if (!nearest) return undefined;
  const { label, start, score, threshold } = nearest;
  return words.nearest(label, formatClock(start), formatPercent(score), formatPercent(threshold));
}
