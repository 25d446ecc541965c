import { api, unwrap } from "../api/client";
import type { HistoryEntry } from "../api/types";
import { isActivation } from "../models/activation-history";

export interface LivePeriod {
  entry: HistoryEntry;
  until: string | undefined;
}

const PAGE = 500;

/**
 * Who was on stage at a moment, from a history that comes newest first; undefined where it says nothing.
 * `later` is the switch after the given entries began, for a history that is read page by page.
 */
export function findLivePeriod(
  entries: readonly HistoryEntry[],
  moment: number,
  later?: string,
): LivePeriod | null | undefined {
  let until = later;
  let left: HistoryEntry | undefined;
  for (const entry of entries) {
    const entered = isActivation(entry);
    if (!entered && entry.event !== "deactivated") continue;
    if (Date.parse(entry.at) > moment) until = entry.at;
    else if (!entered) left ??= entry;
    // One generation records who left and who entered, in either order.
    else return left && left.generation !== entry.generation ? null : { entry, until };
  }
  return left && null;
}

/** Reads the history back to the moment; null when nothing was live then. */
export async function findLiveModelAt(moment: number, signal: AbortSignal): Promise<LivePeriod | null> {
  let cursor: string | null | undefined;
  let later: string | undefined;
  do {
    const query = { limit: PAGE, ...(cursor && { cursor }) };
    const page = await unwrap(api.GET("/api/v1/history", { params: { query }, signal }));
    const found = findLivePeriod(page.entries, moment, later);
    if (found !== undefined) return found;
    later = page.entries.findLast((entry) => entry.event === "deactivated" || isActivation(entry))?.at ?? later;
    cursor = page.next_cursor;
  } while (cursor);
  return null;
}
