import { useEffect, useState } from "react";
import { toProblem } from "../../api/problem";
import type { BatchLine, Problem } from "../../api/types";
import type { NamedFile } from "../../browser/named-files";
import type { ModelChoice } from "../../models/model-select";
import { groupFiles, requestBatch } from "./batch-request";

export interface Batch {
  /** The lines that have arrived, by the recording's place among the files. */
  lines: ReadonlyMap<number, BatchLine>;
  /** Why the rest was not answered. */
  problem: Problem | undefined;
  running: boolean;
}

const IDLE: Batch = { lines: new Map(), problem: undefined, running: false };

/** Predicts all files with one model, group after group. `stopped` cancels it and keeps what has arrived. */
export function useBatch(files: readonly NamedFile[], choice: ModelChoice, stopped: boolean): Batch {
  const [batch, setBatch] = useState<Batch>(IDLE);
  useEffect(() => {
    if (choice === undefined) setBatch(IDLE);
    // What was answered before it was stopped stays on screen.
    if (choice === undefined || stopped) return;
    const abort = new AbortController();
    setBatch({ ...IDLE, running: true });
    void run(files, choice, abort.signal, setBatch);
    return () => abort.abort();
  }, [files, choice, stopped]);
  return { ...batch, running: batch.running && !stopped };
}

async function run(
  files: readonly NamedFile[],
  choice: Exclude<ModelChoice, undefined>,
  signal: AbortSignal,
  update: (change: (before: Batch) => Batch) => void,
): Promise<void> {
  let before = 0;
  for (const group of groupFiles(files)) {
    const arrived: BatchLine[] = [];
    let problem: Problem | undefined;
    try {
      await requestBatch(group, choice === "live" ? undefined : choice, (line) => arrived.push(line), signal);
    } catch (error) {
      problem = toProblem(error);
    }
    // The batch on screen may be another one by now.
    if (signal.aborted) return;
    const place = before;
    update(({ lines }) => ({
      lines: new Map([...lines, ...arrived.map((line) => [place + line.index, line] as const)]),
      problem,
      running: problem === undefined,
    }));
    if (problem) return;
    before += group.length;
  }
  update((batch) => ({ ...batch, running: false }));
}
