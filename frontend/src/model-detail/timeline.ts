import type { HistoryEntry } from "../api/types";
import { isActivation } from "../models/activation-history";

/** An entry of a model's timeline: a period in which it was live, or another event. */
export interface TimelineItem {
  entry: HistoryEntry;
  /** Set for a period in which the model was live. */
  live?: { from: string; to: string | undefined };
}

/**
 * Joins each activation with the deactivation that ended it. Entries and items are newest first.
 * An activation without an end is the live one, unless a later one follows.
 */
export function buildTimeline(entries: readonly HistoryEntry[]): TimelineItem[] {
  const items: TimelineItem[] = [];
  let end: string | undefined;
  for (const entry of entries) {
    if (entry.event === "deactivated") {
      end = entry.at;
    } else if (isActivation(entry)) {
      items.push({ entry, live: { from: entry.at, to: end } });
      end = entry.at;
    } else {
      if (entry.event === "deleted") end = entry.at;
      items.push({ entry });
    }
  }
  return items;
}
