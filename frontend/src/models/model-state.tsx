import clsx from "clsx";
import type { Model } from "../api/types";
import { text } from "../text";

const DOTS: Record<string, string> = {
  live: "bg-accent",
  ready: "border-2 border-accent",
  not_compiled: "border-2 border-line-strong",
  compiling: "bg-line-strong motion-safe:animate-pulse",
  refused: "bg-danger",
  missing: "bg-danger",
  changed: "bg-warn",
};

/** Returns a model's state. A missing or changed file takes precedence over the compile state. */
export function getModelState(model: Model): string {
  if (model.is_active) return "live";
  if (!model.file_exists) return "missing";
  if (model.file_changed) return "changed";
  return model.compile_state;
}

export function ModelStateMark({ state, reason }: { state: string; reason?: string | undefined }) {
  const words = text.states[state];
  return (
    <span className="inline-flex items-center gap-2 whitespace-nowrap text-sm" title={reason ?? words?.explain}>
      <span aria-hidden="true" className={clsx("size-2.5 shrink-0 rounded-full", DOTS[state] ?? "bg-line-strong")} />
      {words?.label ?? state}
    </span>
  );
}

/** Returns the reason for a state that needs action, otherwise undefined. */
export function getStateReason(model: Model): string | undefined {
  const state = getModelState(model);
  if (state === "refused") return String(model.compile_error?.detail ?? text.states.refused?.explain);
  return state === "missing" || state === "changed" ? text.states[state]?.explain : undefined;
}
