import { stripJson } from "../api/direction-controls";
import type { Prediction, ScoredWindow } from "../api/types";
import { findPeakScores } from "./window-comparison";

/** A prediction on its way from a worker to the page. */
export type AnswerMessage =
  | { type: "facts"; facts: Omit<Prediction, "windows">; peaks: Map<string, number> }
  | { type: "windows"; windows: ScoredWindow[] }
  | { type: "end" };

/** Scores in one part: the page takes some milliseconds to receive them. */
const SCORES_TOGETHER = 10_000;

/** Parses text from the server. Long text is parsed in a worker. */
export const parseJson = <Value>(text: string): Value => JSON.parse(stripJson(text)) as Value;

/** Yields the messages that hand a long prediction to the page, in parts that do not hold it up. */
export function* splitPrediction({ windows, ...facts }: Prediction): Generator<AnswerMessage> {
  yield { type: "facts", facts, peaks: findPeakScores(windows) };
  const listed = Object.keys(windows.find(({ scores }) => scores)?.scores ?? {}).length;
  const together = Math.max(1, Math.floor(SCORES_TOGETHER / Math.max(1, listed)));
  for (let at = 0; at < windows.length; at += together) {
    yield { type: "windows", windows: windows.slice(at, at + together) };
  }
  yield { type: "end" };
}
