import type { HistoryEntry } from "../api/types";
import { isActivation } from "../models/activation-history";

/** A line of a model's timeline: a stretch on stage, or anything else that happened. */
export interface TimelineItem {
  entry: HistoryEntry;
  /** Set for a stretch on stage. */
  live?: { from: string; to: string | undefined };
}

/**
 * Joins each activation with the deactivation that ended it. Entries come newest first, and so do the items.
 * An activation without an end is live now, unless a later one began.
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
