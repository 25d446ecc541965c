import type { HistoryEntry, Operation, Step } from "../api/types";

export const STEPS: readonly Step[] = ["verify", "compile", "warm_up", "commit", "swap"];

export type StepState = "done" | "now" | "failed" | "waiting";

/** How a step of an operation stands. */
export function stepState(operation: Operation, step: Step): StepState {
  if (operation.state === "succeeded") return "done";
  const distance = STEPS.indexOf(step) - STEPS.indexOf(operation.step);
  if (distance < 0) return "done";
  if (distance > 0) return "waiting";
  return operation.state === "failed" ? "failed" : "now";
}

const WENT_LIVE = new Set(["activated", "rolled_back"]);

/** The entry by which a model went live last. History comes newest first. */
export function lastWentLive(entries: readonly HistoryEntry[], modelId: number): HistoryEntry | undefined {
  return entries.find((entry) => entry.model_id === modelId && WENT_LIVE.has(entry.event));
}

export interface LabelChange {
  added: string[];
  removed: string[];
}

/** Which labels answers gain and lose when `next` takes over from `present`. */
export function labelChange(present: readonly string[], next: readonly string[]): LabelChange {
  const had = new Set(present);
  const has = new Set(next);
  return {
    added: next.filter((label) => !had.has(label)),
    removed: present.filter((label) => !has.has(label)),
  };
}
