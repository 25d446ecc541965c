import type { Operation, Step } from "../api/types";

export const STEPS: readonly Step[] = ["verify", "compile", "warm_up", "commit", "swap"];

export type StepState = "done" | "now" | "failed" | "waiting";

/** Returns the state of one step of an operation. */
export function getStepState(operation: Operation, step: Step): StepState {
  if (operation.state === "succeeded") return "done";
  const distance = STEPS.indexOf(step) - STEPS.indexOf(operation.step);
  if (distance < 0) return "done";
  if (distance > 0) return "waiting";
  return operation.state === "failed" ? "failed" : "now";
}
