import type { ModelIdentity, Problem } from "../api/types";

export interface StreamSpec {
  window_seconds: number;
  hop_seconds: number;
  labels: string[];
  thresholds: Record<string, number>;
}

export interface StreamWindow {
  type: "window";
  start: number;
  end: number;
  label: string;
  score: number;
  scores: Record<string, number>;
  model: ModelIdentity;
  generation: number | null;
}

/** What the server sends over the stream; times are seconds since the stream's first sample. */
export type ServerMessage =
  | { type: "ready"; model: ModelIdentity; spec: StreamSpec }
  | StreamWindow
  | { type: "swap"; at: number; model: ModelIdentity; generation: number; spec?: StreamSpec }
  | { type: "error"; problem: Problem };
