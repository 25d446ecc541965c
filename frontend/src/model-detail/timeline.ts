import type { HistoryEntry } from "../api/types";

/** A line of a model's timeline: a stretch on stage, or anything else that happened. */
export interface TimelineItem {
  entry: HistoryEntry;
  /** Set for a stretch on stage. */
  live?: { from: string; to: string | undefined };
}

const UP = new Set(["activated", "rolled_back"]);

/**
 * Joins each activation with the deactivation that ended it. Entries come newest first, and so do the items.
 * An activation without an end is live now, unless a later one began.
 */
export function timeline(entries: readonly HistoryEntry[]): TimelineItem[] {
  const items: TimelineItem[] = [];
  let end: string | undefined;
  for (const entry of entries) {
    if (entry.event === "deactivated") {
      end = entry.at;
    } else if (UP.has(entry.event)) {
      items.push({ entry, live: { from: entry.at, to: end } });
      end = entry.at;
    } else {
      if (entry.event === "deleted") end = entry.at;
      items.push({ entry });
    }
  }
  return items;
}
