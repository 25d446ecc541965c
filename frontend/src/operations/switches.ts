import { api, unwrap } from "../api/client";
import { limits } from "../api/limits";
import type { HistoryEntry } from "../api/types";
import { isActivation } from "../models/activation-history";

/** A change of the live model. `name` is null where no model was live from then on. */
export interface Switch {
  at: string;
  key: number;
  name: string | null;
}

/** Returns the switches among history entries, latest first. Both halves of a switch have one generation. */
export function listSwitches(entries: readonly HistoryEntry[]): Switch[] {
  const activated = new Set(entries.filter(isActivation).map((entry) => entry.generation));
  return entries.flatMap((entry): Switch[] => {
    const key = entry.history_id;
    if (isActivation(entry)) return [{ at: entry.at, key, name: entry.model_name ?? `#${entry.model_id}` }];
    if (entry.event === "deactivated" && !activated.has(entry.generation)) return [{ at: entry.at, key, name: null }];
    return [];
  });
}

/** Reads the switches since a time (milliseconds since 1970) from the history, which outlives the server's process. */
export async function findSwitches(since: number, signal: AbortSignal): Promise<Switch[]> {
  const entries: HistoryEntry[] = [];
  let cursor: string | null | undefined;
  do {
    const query = { limit: limits.historyPageSize, ...(cursor && { cursor }) };
    const page = await unwrap(api.GET("/api/v1/history", { params: { query }, signal }));
    entries.push(...page.entries);
    const oldest = page.entries.at(-1);
    cursor = oldest && Date.parse(oldest.at) >= since ? page.next_cursor : null;
  } while (cursor);
  return listSwitches(entries).filter((each) => Date.parse(each.at) >= since);
}
