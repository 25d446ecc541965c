import { serverAddress } from "./mount";
import { makeUnreachableProblem, ProblemError, parseProblem } from "./problem";
import type { Uploaded } from "./types";

/**
 * Uploads a model file under a name. `onProgress` gets the fraction sent, 0 to 1.
 * Throws a `ProblemError` when the server refuses the file, and an `AbortError` when `signal` is aborted.
 */
export function uploadModel(
  file: File,
  name: string,
  onProgress: (fraction: number) => void,
  signal: AbortSignal,
): Promise<Uploaded> {
  return new Promise((resolve, reject) => {
    // fetch does not report how much of a body has been sent.
    const request = new XMLHttpRequest();
    request.open("POST", `${serverAddress}/api/v1/models/upload?filename=${encodeURIComponent(name)}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = (event) => onProgress(event.total ? event.loaded / event.total : 0);
    request.onerror = () => reject(new ProblemError(makeUnreachableProblem()));
    request.onabort = () => reject(new DOMException("The upload was cancelled", "AbortError"));
    request.onload = () => {
      if (request.status === 201) resolve(request.response as Uploaded);
      else reject(new ProblemError(parseProblem(request.response, request.status)));
    };
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(file);
  });
}
