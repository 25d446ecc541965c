import { useState } from "react";
import type { BatchLine, ModelIdentity } from "../../api/types";
import type { NamedFile } from "../../browser/named-files";
import type { ModelChoice } from "../../models/model-select";
import { text } from "../../text";
import { Button } from "../../ui/button";
import { Panel } from "../../ui/layout";
import { ProblemNotice, WarningNotice } from "../../ui/notice";
import { downloadFile, formatRows } from "../export";
import { useAnsweringSpec } from "../use-answering-spec";
import { type Answer, countAgreement, toAnswer } from "./agreement";
import { AgreementTable, type Row } from "./agreement-table";
import { type Batch, useBatch } from "./use-batch";

const words = text.tryIt.batch;
const RECORDING = /\.(wav|wave|flac|ogg|oga|opus|mp3|mp4|m4a|aac|webm|aiff?|aifc|au|caf|wv|w64|rf64|amr|wma|3gp|mka)$/i;

interface Props {
  files: readonly NamedFile[];
  first: ModelChoice;
  second: ModelChoice;
}

/** Predicts a folder of recordings with one model or two, and shows where they agree. */
export function BatchPanel({ files, first, second }: Props) {
  const [clips] = useState(() =>
    files.filter(({ file, path }) => RECORDING.test(path) || file.type.startsWith("audio/")),
  );
  const [stopped, setStopped] = useState(false);
  const one = useAnswers(clips, first, stopped);
  const other = useAnswers(clips, second, stopped);
  const rows: Row[] = clips.map(({ path }, index) => ({
    path,
    first: one.answers.get(index),
    second: other.answers.get(index),
  }));
  const models = [one, ...(second === undefined ? [] : [other])];
  const running = models.some(({ batch }) => batch.running);
  const done = Math.min(...models.map(({ answers }) => answers.size));
  const { agreed, compared } = countAgreement(rows.map((row) => [row.first, row.second]));
  const unused = files.length - clips.length;
  return (
    <Panel className="p-5 sm:p-6">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <div role="status" className="min-w-0">
          {second !== undefined && (
            <p className="font-semibold text-2xl tracking-tight">
              {compared === 0 && running ? words.comparing : words.agreement(agreed, compared)}
            </p>
          )}
          <p className="text-ink-2 text-sm">
            {words.progress(done, clips.length)} {unused > 0 && words.unused(unused)}
          </p>
        </div>
        <div className="flex gap-2">
          {running && <Button onClick={() => setStopped(true)}>{words.stop}</Button>}
          {stopped && done < clips.length && <Button onClick={() => setStopped(false)}>{words.again}</Button>}
          <Button disabled={done === 0} onClick={() => downloadFile("agreement.csv", toCsv(rows, models), "text/csv")}>
            {text.tryIt.save.csv}
          </Button>
        </div>
      </div>
      <div className="mt-4 space-y-3 empty:hidden">
        {models.map(
          ({ batch }, place) =>
            // biome-ignore lint/suspicious/noArrayIndexKey: the first and the second choice can be the same model
            batch.problem && <ProblemNotice key={place} problem={batch.problem} />,
        )}
        {models.some(({ switched }) => switched) && <WarningNotice>{words.switched}</WarningNotice>}
      </div>
      <AgreementTable rows={rows} names={models.map(({ model }) => model?.model_name)} />
    </Panel>
  );
}

interface Answers {
  batch: Batch;
  answers: ReadonlyMap<number, Answer>;
  model: ModelIdentity | undefined;
  /** Another model went live while the recordings were predicted. */
  switched: boolean;
}

function useAnswers(clips: readonly NamedFile[], choice: ModelChoice, stopped: boolean): Answers {
  const batch = useBatch(clips, choice, stopped);
  const lines = [...batch.lines.values()];
  const model = lines.find(({ prediction }) => prediction)?.prediction?.model;
  const { spec } = useAnsweringSpec(model);
  const toPair = ([index, line]: [number, BatchLine]) => [index, toAnswer(line, spec?.thresholds)] as const;
  return {
    batch,
    answers: new Map([...batch.lines].map(toPair)),
    model,
    switched: new Set(lines.map(({ generation }) => generation)).size > 1,
  };
}

function toCsv(rows: readonly Row[], models: readonly Answers[]): string {
  const heads = models.flatMap(({ model }) => {
    const name = model?.model_name ?? "";
    return [`${name} label`, `${name} at`, `${name} score`, `${name} complete`, `${name} problem`];
  });
  const toCells = (answer: Answer | undefined) => [
    answer?.label ?? "",
    answer?.at ?? "",
    answer?.score ?? "",
    answer ? String(answer.complete) : "",
    answer?.problem?.detail ?? "",
  ];
  const cells = rows.map(({ path, first, second }) => [
    path,
    ...toCells(first),
    ...(models.length > 1 ? toCells(second) : []),
  ]);
  return formatRows([["file", ...heads], ...cells]);
}
