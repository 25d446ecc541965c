import { api, unwrap } from "../api/client";
import type { HistoryEntry } from "../api/types";

export interface Stay {
  entry: HistoryEntry;
  until: string | undefined;
}

const ENTERED = new Set(["activated", "rolled_back"]);
const PAGE = 500;

/**
 * Who was on stage at a moment, from a history that comes newest first; undefined where it says nothing.
 * `later` is the switch after the given entries began, for a history that is read page by page.
 */
export function stayAt(entries: readonly HistoryEntry[], moment: number, later?: string): Stay | null | undefined {
  let until = later;
  let left: HistoryEntry | undefined;
  for (const entry of entries) {
    const entered = ENTERED.has(entry.event);
    if (!entered && entry.event !== "deactivated") continue;
    if (Date.parse(entry.at) > moment) until = entry.at;
    else if (!entered) left ??= entry;
    // One generation records who left and who entered, in either order.
    else return left && left.generation !== entry.generation ? null : { entry, until };
  }
  return left && null;
}

/** Reads the history back to the moment; null when nothing was live then. */
export async function liveAt(moment: number, signal: AbortSignal): Promise<Stay | null> {
  let cursor: string | null | undefined;
  let later: string | undefined;
  do {
    const query = { limit: PAGE, ...(cursor && { cursor }) };
    const page = await unwrap(api.GET("/api/v1/history", { params: { query }, signal }));
    const found = stayAt(page.entries, moment, later);
    if (found !== undefined) return found;
    later = page.entries.findLast((entry) => entry.event === "deactivated" || ENTERED.has(entry.event))?.at ?? later;
    cursor = page.next_cursor;
  } while (cursor);
  return null;
}
