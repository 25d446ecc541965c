import { stripJson } from "../api/direction-controls";
import { serverAddress } from "../api/mount";
import { makeUnreachableProblem, ProblemError, parseProblem } from "../api/problem";
import type { Prediction } from "../api/types";
import type { AnswerMessage } from "./answer.worker";
import { keepPeakScores } from "./window-comparison";

/** How far a request is. */
export type RequestPhase = { name: "sending"; share: number } | { name: "analyzing" } | { name: "reading" };

/** An answer above this size is parsed in a worker. Below it that takes a few milliseconds. */
const WORKER_BYTES = 500_000;

/**
 * Predicts a recording. Throws a `ProblemError` when the server cannot be reached or refuses the recording, and an
 * `AbortError` when `signal` is aborted.
 */
export async function requestPrediction(
  recording: { name: string; blob: Blob },
  modelId: number | undefined,
  signal: AbortSignal,
  onPhase: (phase: RequestPhase) => void,
): Promise<Prediction> {
  onPhase({ name: "sending", share: 0 });
  const query = modelId === undefined ? "" : `?model_id=${modelId}`;
  const { status, body } = await send(`${serverAddress}/api/v1/predict${query}`, recording, signal, onPhase);
  if (status !== 200) throw new ProblemError(parseProblem(parseOrNull(await body.text()), status));
  onPhase({ name: "reading" });
  return body.size > WORKER_BYTES ? parseInWorker(body, signal) : JSON.parse(stripJson(await body.text()));
}

function parseOrNull(body: string): unknown {
  try {
    return JSON.parse(stripJson(body));
  } catch {
    return null;
  }
}

/** Sends the recording. fetch does not report how much of a body has been sent. */
function send(
  address: string,
  { name, blob }: { name: string; blob: Blob },
  signal: AbortSignal,
  onPhase: (phase: RequestPhase) => void,
): Promise<{ status: number; body: Blob }> {
  const form = new FormData();
  form.append("audio_file", blob, name);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.responseType = "blob";
    request.upload.onprogress = ({ loaded, total }) => onPhase({ name: "sending", share: total ? loaded / total : 0 });
    request.upload.onload = () => onPhase({ name: "analyzing" });
    request.onerror = () => reject(new ProblemError(makeUnreachableProblem()));
    request.onabort = () => reject(new DOMException("The request was cancelled", "AbortError"));
    request.onload = () => resolve({ status: request.status, body: request.response as Blob });
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form);
  });
}

/** Parses a long answer in a worker. Its windows come in parts, so that no part holds the page up. */
function parseInWorker(body: Blob, signal: AbortSignal): Promise<Prediction> {
  const worker = new Worker(new URL("./answer.worker.ts", import.meta.url), { type: "module" });
  let prediction: Prediction | undefined;
  return new Promise<Prediction>((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.onmessage = ({ data }: MessageEvent<AnswerMessage>) => {
      if (data.type === "facts") {
        prediction = { ...data.facts, windows: [] };
        keepPeakScores(prediction, data.peaks);
      } else if (data.type === "windows") prediction?.windows.push(...data.windows);
      else if (prediction) resolve(prediction);
    };
    worker.postMessage(body);
  }).finally(() => worker.terminate());
}
