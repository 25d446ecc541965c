// Sends a long recording and reads its answer line by line, outside of the page's thread.
import type { ModelIdentity, PredictionLine, Problem, ScoredWindow } from "../api/types";
import { type AnswerMessage, parseJson, splitPrediction } from "./answer-parts";

export interface AnalysisRequest {
  address: string;
  name: string;
  blob: Blob;
}

export type AnalysisMessage =
  | AnswerMessage
  | { type: "sending"; share: number }
  | { type: "analyzing" }
  | { type: "started"; model: ModelIdentity }
  | { type: "scored"; windows: ScoredWindow[] }
  | { type: "reading" }
  | { type: "problem"; problem: Problem }
  /** The server answered with a status other than 200. */
  | { type: "refused"; status: number; body: string }
  /** The server cannot be reached, or the answer ended before its last line. */
  | { type: "cut" };

const ANSWER = '{"type":"prediction"';
const post = (message: AnalysisMessage) => postMessage(message);

addEventListener("message", ({ data }: MessageEvent<AnalysisRequest>) => send(data));

// fetch does not report how much of a body has been sent.
function send({ address, name, blob }: AnalysisRequest): void {
  const form = new FormData();
  form.append("audio_file", blob, name);
  const request = new XMLHttpRequest();
  const reader = new LineReader();
  request.open("POST", address);
  request.setRequestHeader("Accept", "application/x-ndjson");
  request.upload.onprogress = ({ loaded, total }) => post({ type: "sending", share: total ? loaded / total : 0 });
  request.upload.onload = () => post({ type: "analyzing" });
  request.onprogress = () => {
    if (request.status === 200 && !reader.answering) reader.read(request.responseText);
  };
  request.onerror = () => post({ type: "cut" });
  request.onload = () => {
    if (request.status === 200) {
      reader.read(request.responseText);
      if (!reader.ended) post({ type: "cut" });
    } else post({ type: "refused", status: request.status, body: request.responseText });
  };
  request.send(form);
}

class LineReader {
  /** The last line has begun. It is long, and reading the text again and again while it comes would take long. */
  answering = false;
  ended = false;
  #read = 0;

  /** Reads the lines that are new in the whole text of the answer so far. */
  read(text: string): void {
    for (let end = text.indexOf("\n", this.#read); end >= 0; end = text.indexOf("\n", this.#read)) {
      const line = parseJson<PredictionLine>(text.slice(this.#read, end));
      this.#read = end + 1;
      this.#take(line);
    }
    if (!this.answering && text.startsWith(ANSWER, this.#read)) {
      this.answering = true;
      post({ type: "reading" });
    }
  }

  #take(line: PredictionLine): void {
    this.ended = line.type === "problem" || line.type === "prediction";
    if (line.type === "started") post({ type: "started", model: line.model });
    else if (line.type === "windows") post({ type: "scored", windows: line.windows });
    else if (line.type === "problem") post({ type: "problem", problem: line.problem });
    else for (const message of splitPrediction(line.prediction)) post(message);
  }
}
