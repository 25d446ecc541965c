import { api, unwrap } from "../api/client";
import { limits } from "../api/limits";
import type { HistoryEntry } from "../api/types";
import { isActivation } from "../models/activation-history";

export interface LivePeriod {
  entry: HistoryEntry;
  until: string | undefined;
}

/**
 * Returns the period of the model that was live at `moment` (milliseconds since 1970), null when no model was live,
 * or undefined when `entries` do not reach back to it. `entries` come newest first; for a history read page by page,
 * `later` is the time of the oldest switch on the page before.
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
    // A switch records the deactivated and the activated model under one generation, in either order.
    else return left && left.generation !== entry.generation ? null : { entry, until };
  }
  return left && null;
}

/** Reads the history back to `moment` (milliseconds since 1970). Returns null when no model was live then. */
export async function findLiveModelAt(moment: number, signal: AbortSignal): Promise<LivePeriod | null> {
  let cursor: string | null | undefined;
  let later: string | undefined;
  do {
    const query = { limit: limits.historyPageSize, ...(cursor && { cursor }) };
    const page = await unwrap(api.GET("/api/v1/history", { params: { query }, signal }));
    const found = findLivePeriod(page.entries, moment, later);
    if (found !== undefined) return found;
    later = page.entries.findLast((entry) => entry.event === "deactivated" || isActivation(entry))?.at ?? later;
    cursor = page.next_cursor;
  } while (cursor);
  return null;
}
