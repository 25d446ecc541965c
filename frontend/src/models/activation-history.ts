import type { HistoryEntry } from "../api/types";

const ACTIVATION_EVENTS = new Set(["activated", "rolled_back"]);

/** Tells whether the entry's model went live by this event. */
export const isActivation = (entry: HistoryEntry): boolean => ACTIVATION_EVENTS.has(entry.event);

/** Returns the latest activation or rollback of a model. `entries` come newest first. */
export function findLastActivation(entries: readonly HistoryEntry[], modelId: number): HistoryEntry | undefined {
  return entries.find((entry) => entry.model_id === modelId && isActivation(entry));
}
