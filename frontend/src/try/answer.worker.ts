// Parses and ranks a long answer outside of the page's thread.
import type { Prediction } from "../api/types";
import { parseJson, splitPrediction } from "./answer-parts";

addEventListener("message", ({ data }: MessageEvent<Blob>) => void parse(data));

async function parse(body: Blob): Promise<void> {
  for (const message of splitPrediction(parseJson<Prediction>(await body.text()))) postMessage(message);
}
