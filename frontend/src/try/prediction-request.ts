import { stripJson } from "../api/direction-controls";
import { serverAddress } from "../api/mount";
import { makeUnreachableProblem, ProblemError, parseProblem } from "../api/problem";
import type { Prediction } from "../api/types";
import type { AnalysisMessage, AnalysisRequest } from "./analysis.worker";
import type { AnswerMessage } from "./answer-parts";
import { addWindows, type PartialPrediction, startPartial } from "./partial-prediction";
import { openWav } from "./picture/wav-source";
import { keepPeakScores } from "./window-comparison";

/** How far a request is. `seconds` is the length of the recording, where it is known. */
export type RequestPhase =
  | { name: "sending"; share: number }
  | { name: "analyzing"; seconds?: number | undefined }
  | { name: "reading" };

export interface RequestReports {
  onPhase: (phase: RequestPhase) => void;
  onPartial: (partial: PartialPrediction) => void;
}

/** An answer above this size is parsed in a worker. Below it that takes a few milliseconds. */
const WORKER_BYTES = 500_000;
/** The windows of a recording above this length are shown as they are scored. */
const LONG_SECONDS = 20;
/** Compressed sound has about so many bytes a second, and no recording has fewer samples. */
const LEAST_BYTES_A_SECOND = 8_000;

interface Recording {
  name: string;
  blob: Blob;
}

/**
 * Predicts a recording. Throws a `ProblemError` when the server cannot be reached or refuses the recording, and an
 * `AbortError` when `signal` is aborted.
 */
export async function requestPrediction(
  recording: Recording,
  modelId: number | undefined,
  signal: AbortSignal,
  reports: RequestReports,
): Promise<Prediction> {
  const { onPhase } = reports;
  onPhase({ name: "sending", share: 0 });
  const query = modelId === undefined ? "" : `?model_id=${modelId}`;
  const address = `${serverAddress}/api/v1/predict${query}`;
  const length = await measureLong(recording.blob);
  signal.throwIfAborted();
  if (length) return requestInParts(recording, address, length.seconds, signal, reports);
  const { status, body } = await send(address, recording, signal, onPhase);
  if (status !== 200) throw new ProblemError(parseProblem(parseOrNull(await body.text()), status));
  onPhase({ name: "reading" });
  return body.size > WORKER_BYTES ? parseInWorker(body, signal) : JSON.parse(stripJson(await body.text()));
}

/** Returns the seconds of a recording that is long, or nothing in their place where only its size says so. */
async function measureLong(blob: Blob): Promise<{ seconds?: number } | undefined> {
  if (blob.size <= LONG_SECONDS * LEAST_BYTES_A_SECOND) return undefined;
  const wav = await openWav(blob);
  if (!wav) return {};
  const seconds = wav.length / wav.sampleRate;
  return seconds > LONG_SECONDS ? { seconds } : undefined;
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
  { name, blob }: Recording,
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

/** Parses a long answer in a worker. */
function parseInWorker(body: Blob, signal: AbortSignal): Promise<Prediction> {
  const worker = new Worker(new URL("./answer.worker.ts", import.meta.url), { type: "module" });
  return collectAnswer<AnswerMessage>(worker, body, signal, (message) => message);
}

/** Sends a long recording from a worker, and reports its windows as they are scored. */
function requestInParts(
  { name, blob }: Recording,
  address: string,
  seconds: number | undefined,
  signal: AbortSignal,
  { onPhase, onPartial }: RequestReports,
): Promise<Prediction> {
  const worker = new Worker(new URL("./analysis.worker.ts", import.meta.url), { type: "module" });
  const request: AnalysisRequest = { address: new URL(address, location.href).href, name, blob };
  let partial: PartialPrediction | undefined;
  return collectAnswer<AnalysisMessage>(worker, request, signal, (message) => {
    switch (message.type) {
      case "sending":
        onPhase({ name: "sending", share: message.share });
        break;
      case "analyzing":
        onPhase({ name: "analyzing", seconds });
        break;
      case "reading":
        onPhase({ name: "reading" });
        break;
      case "started":
        partial = startPartial(message.model);
        break;
      case "scored":
        partial = partial && addWindows(partial, message.windows);
        if (partial) onPartial(partial);
        break;
      case "problem":
        throw new ProblemError(message.problem);
      case "refused":
        throw new ProblemError(parseProblem(parseOrNull(message.body), message.status));
      case "cut":
        throw new ProblemError(makeUnreachableProblem());
      default:
        return message;
    }
    return undefined;
  });
}

/**
 * Returns the prediction that a worker hands over. Its windows come in parts, so that no part holds the page up. `take`
 * returns the messages that belong to it, and throws to end the request.
 */
function collectAnswer<Message extends { type: string }>(
  worker: Worker,
  request: unknown,
  signal: AbortSignal,
  take: (message: Message) => AnswerMessage | undefined,
): Promise<Prediction> {
  let prediction: Prediction | undefined;
  return new Promise<Prediction>((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.onmessage = ({ data }: MessageEvent<Message>) => {
      try {
        const message = take(data);
        if (message?.type === "facts") {
          prediction = { ...message.facts, windows: [] };
          keepPeakScores(prediction, message.peaks);
        } else if (message?.type === "windows") prediction?.windows.push(...message.windows);
        else if (message?.type === "end" && prediction) resolve(prediction);
      } catch (error) {
        reject(error);
      }
    };
    worker.postMessage(request);
  }).finally(() => worker.terminate());
}
