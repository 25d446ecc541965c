import clsx from "clsx";
import type { Operation } from "../api/types";
import { text } from "../text";
import { CheckIcon, CloseIcon } from "../ui/icons";
import { getStepState, STEPS, type StepState } from "./step-state";

const WORDS: Record<StepState, string> = {
  done: text.models.stepDone,
  now: text.models.stepNow,
  failed: text.models.stepFailed,
  waiting: text.models.stepWaiting,
};

const MARKS: Record<StepState, string> = {
  done: "bg-accent text-on-accent",
  now: "border-2 border-accent motion-safe:animate-pulse",
  failed: "bg-danger text-surface",
  waiting: "border border-line-strong",
};

/** Lists the five steps of an activation with their state. */
export function StepList({ operation }: { operation: Operation }) {
  return (
    <ol className="space-y-3">
      {STEPS.map((step) => {
        const state = getStepState(operation, step);
        return (
          <li key={step} className="flex items-center gap-3" aria-current={state === "now" ? "step" : undefined}>
            <span
              aria-hidden="true"
              className={clsx("flex size-6 shrink-0 items-center justify-center rounded-full", MARKS[state])}
            >
              {state === "done" && <CheckIcon />}
              {state === "failed" && <CloseIcon />}
            </span>
            <span className={clsx(state === "waiting" && "text-ink-3", state === "now" && "font-medium")}>
              {text.models.steps[step]}
            </span>
            <span className="sr-only">{WORDS[state]}</span>
          </li>
        );
      })}
    </ol>
  );
}

/** Shows the steps of an activation as one bar. */
export function StepBar({ operation }: { operation: Operation }) {
  return (
    <div className="flex gap-1" aria-hidden="true">
      {STEPS.map((step) => {
        const state = getStepState(operation, step);
        return (
          <span
            key={step}
            className={clsx(
              "h-1 flex-1 rounded-full",
              state === "done" && "bg-accent",
              state === "now" && "bg-accent motion-safe:animate-pulse",
              state === "failed" && "bg-danger",
              state === "waiting" && "bg-line",
            )}
          />
        );
      })}
    </div>
  );
}
