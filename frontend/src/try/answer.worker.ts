// Parses and ranks a long answer outside of the page's thread.
import { stripJson } from "../api/direction-controls";
import type { Prediction, ScoredWindow } from "../api/types";
import { findPeakScores } from "./window-comparison";

export type AnswerMessage =
  | { type: "facts"; facts: Omit<Prediction, "windows">; peaks: Map<string, number> }
  | { type: "windows"; windows: ScoredWindow[] }
  | { type: "end" };

/** Scores in one part: the page takes some milliseconds to receive them. */
const SCORES_TOGETHER = 10_000;

addEventListener("message", ({ data }: MessageEvent<Blob>) => void parse(data));

async function parse(body: Blob): Promise<void> {
  const send = (message: AnswerMessage) => postMessage(message);
  const { windows, ...facts } = JSON.parse(stripJson(await body.text())) as Prediction;
  send({ type: "facts", facts, peaks: findPeakScores(windows) });
  const listed = Object.keys(windows.find(({ scores }) => scores)?.scores ?? {}).length;
  const together = Math.max(1, Math.floor(SCORES_TOGETHER / Math.max(1, listed)));
  for (let at = 0; at < windows.length; at += together) {
    send({ type: "windows", windows: windows.slice(at, at + together) });
  }
  send({ type: "end" });
}
