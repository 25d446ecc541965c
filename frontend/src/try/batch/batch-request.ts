import { serverAddress } from "../../api/mount";
import { makeUnreachableProblem, ProblemError, parseProblem } from "../../api/problem";
import type { BatchLine } from "../../api/types";
import type { NamedFile } from "../../browser/named-files";

// Answers come when a request's body has arrived, so small groups show results early and can be cancelled.
const MOST_FILES = 16;
const MOST_BYTES = 16_000_000;

/** Splits files into groups for one request each. A file that is larger than a group has its own. */
export function groupFiles(files: readonly NamedFile[]): NamedFile[][] {
  const groups: NamedFile[][] = [];
  let bytes = 0;
  for (const file of files) {
    const group = groups.at(-1);
    if (group && group.length < MOST_FILES && bytes + file.file.size <= MOST_BYTES) {
      group.push(file);
      bytes += file.file.size;
    } else {
      groups.push([file]);
      bytes = file.file.size;
    }
  }
  return groups;
}

/**
 * Predicts a group of recordings with one request and calls `onLine` as each line of the answer arrives.
 * Throws a `ProblemError` when the server refuses the request or ends the answer early.
 */
export async function requestBatch(
  files: readonly NamedFile[],
  modelId: number | undefined,
  onLine: (line: BatchLine) => void,
  signal: AbortSignal,
): Promise<void> {
  const form = new FormData();
  for (const { file } of files) form.append("audio_file", file, file.name);
  const query = modelId === undefined ? "" : `?model_id=${modelId}`;
  try {
    const address = `${serverAddress}/api/v1/predict/batch${query}`;
    const answer = await fetch(new Request(address, { method: "POST", body: form, signal }));
    if (!answer.ok) throw new ProblemError(parseProblem(await answer.json().catch(() => null), answer.status));
    const lines = await readLines(answer, onLine);
    if (lines < files.length) throw new ProblemError(makeUnreachableProblem());
  } catch (error) {
    if (error instanceof ProblemError || signal.aborted) throw error;
    throw new ProblemError(makeUnreachableProblem());
  }
}

async function readLines(answer: Response, onLine: (line: BatchLine) => void): Promise<number> {
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let count = 0;
  const take = (line: string) => {
    if (line.trim() === "") return;
    count += 1;
    onLine(JSON.parse(line) as BatchLine);
  };
  while (reader) {
    const { done, value } = await reader.read();
    const pieces = (rest + (value ?? "")).split("\n");
    rest = pieces.pop() ?? "";
    for (const piece of pieces) take(piece);
    if (done) break;
  }
  take(rest);
  return count;
}
