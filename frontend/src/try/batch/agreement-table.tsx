import { useState } from "react";
import { formatClock, formatPercent } from "../../format/numbers";
import { text } from "../../text";
import { Button } from "../../ui/button";
import { PlainTable } from "../../ui/table";
import { type Answer, compareAnswers } from "./agreement";

const words = text.tryIt.batch;
const FIRST_ROWS = 100;

export interface Row {
  path: string;
  first: Answer | undefined;
  second: Answer | undefined;
}

/** Lists each recording with what each model decided. Recordings on which they differ come first. */
export function AgreementTable({ rows, names }: { rows: readonly Row[]; names: readonly (string | undefined)[] }) {
  const [all, setAll] = useState(false);
  const two = names.length > 1;
  const ordered = two ? [...rows].sort((one, other) => rank(one) - rank(other)) : rows;
  const shown = all ? ordered : ordered.slice(0, FIRST_ROWS);
  const columns = [
    { name: words.file },
    ...names.map((name, place) => ({
      name: two ? `${place + 1}. ${name ?? (place === 0 ? words.first : words.second)}` : (name ?? words.verdict),
    })),
  ];
  return (
    <div className="mt-5 overflow-x-auto">
      <PlainTable
        className="min-w-md"
        caption={words.table}
        columns={two ? [...columns, { name: words.same }] : columns}
        rows={shown.map((row) => {
          const same = compareAnswers(row.first, row.second);
          return {
            key: row.path,
            cells: [
              <bdi key="path" className="block max-w-60 break-words">
                {row.path}
              </bdi>,
              formatAnswer(row.first),
              ...(two ? [formatAnswer(row.second), same === undefined ? "" : same ? words.yes : words.no] : []),
            ],
          };
        })}
      />
      {!all && ordered.length > FIRST_ROWS && (
        <Button small className="mt-3" onClick={() => setAll(true)}>
          {words.showAll(ordered.length)}
        </Button>
      )}
    </div>
  );
}

function rank(row: Row): number {
  const same = compareAnswers(row.first, row.second);
  return same === false ? 0 : same === undefined ? 1 : 2;
}

function formatAnswer(answer: Answer | undefined): string {
  if (!answer) return "";
  if (answer.problem) return answer.problem.detail;
  const said = answer.label === null ? words.nothing : formatLabel(answer);
  return answer.complete ? said : `${said}. ${words.incomplete}`;
}

function formatLabel({ label, at, score }: Answer): string {
  const percent = score === null ? "" : formatPercent(score);
  return at === null ? `${label}, ${percent}` : text.tryIt.verdict.event(label ?? "", formatClock(at), percent);
}
