import type { HistoryEntry } from "../api/types";
import { isActivation } from "../models/activation-history";

/** A line of the history: an entry, and for a switch the model that was replaced by it. */
export interface HistoryRow {
  entry: HistoryEntry;
  replaced?: HistoryEntry | undefined;
}

/** What the history shows: everything but compilations, only switches, everything, or one kind of event. */
export type HistoryView = "changes" | "switches" | "everything" | (string & {});

const SWITCHES = ["activated", "rolled_back", "deactivated"];
const CHANGES = ["registered", "updated", "deleted", ...SWITCHES, "refused", "repaired"];

/** Returns the events to ask the server for; undefined for all. */
export function getEvents(view: HistoryView): string[] | undefined {
  if (view === "everything") return undefined;
  if (view === "switches") return SWITCHES;
  return view === "changes" ? CHANGES : [view];
}

/**
 * Joins each activation with the deactivation of the same generation: one row a switch. Entries come newest first. The
 * oldest switch stands alone while the entry of the model that it replaced has not been fetched.
 */
export function buildHistoryRows(entries: readonly HistoryEntry[], view: HistoryView): HistoryRow[] {
  if (getEvents(view)?.length === 1) return entries.map((entry) => ({ entry }));
  const activated = new Set(entries.filter(isActivation).map(({ generation }) => generation));
  const ended = new Map(entries.filter(isDeactivation).map((entry) => [entry.generation, entry]));
  return entries
    .filter((entry) => !(isDeactivation(entry) && activated.has(entry.generation)))
    .map((entry) => (isActivation(entry) ? { entry, replaced: ended.get(entry.generation) } : { entry }));
}

const isDeactivation = ({ event }: HistoryEntry): boolean => event === "deactivated";
