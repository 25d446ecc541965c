import clsx from "clsx";
import type { ReactNode } from "react";
import { useMediaQuery } from "../browser/use-media-query";
import { text } from "../text";
import { Panel } from "../ui/layout";

export interface Row {
  key: string | number;
  title: ReactNode;
  /** One for each column after the first. */
  cells: readonly ReactNode[];
  actions?: ReactNode;
  /** Shown quieter: it does not count any more. */
  ended?: boolean;
}

interface Props {
  caption: string;
  /** The names of the columns; the first one is the title's. */
  columns: readonly string[];
  rows: readonly Row[];
}

/** Records with a few facts each: a table on wide screens, cards on narrow ones. */
export function RecordTable(props: Props) {
  const roomy = useMediaQuery("(min-width: 48rem)");
  return roomy ? <Table {...props} /> : <Cards {...props} />;
}

function Table({ caption, columns, rows }: Props) {
  return (
    <Panel className="overflow-x-auto">
      <table className="w-full text-sm">
        <caption className="sr-only">{caption}</caption>
        <thead className="border-line border-b text-left text-ink-2">
          <tr>
            {columns.map((name) => (
              <th key={name} scope="col" className="px-3 py-3 font-medium first:pl-5">
                {name}
              </th>
            ))}
            <th scope="col" className="w-0 px-3 py-3">
              <span className="sr-only">{text.people.columns.actions}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, title, cells, actions, ended }) => (
            <tr key={key} className="border-line border-t first:border-t-0">
              <th scope="row" className={clsx("py-3 pr-3 pl-5 text-left font-medium", ended && "text-ink-3")}>
                {title}
              </th>
              {columns.slice(1).map((name, index) => (
                <td key={name} className={clsx("px-3 py-3", ended ? "text-ink-3" : "text-ink-2")}>
                  {cells[index]}
                </td>
              ))}
              <td className="whitespace-nowrap py-2 pr-4 pl-3 text-right">{actions}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

function Cards({ caption, columns, rows }: Props) {
  return (
    <ul aria-label={caption} className="space-y-3">
      {rows.map(({ key, title, cells, actions, ended }) => (
        <li key={key}>
          <Panel className="p-4">
            <div className="flex items-start justify-between gap-3">
              <div className={clsx("min-w-0 font-medium", ended && "text-ink-3")}>{title}</div>
              {actions}
            </div>
            <dl className="mt-2 grid grid-cols-2 gap-x-4 gap-y-2 text-sm">
              {columns.slice(1).map((name, index) => (
                <div key={name} className="min-w-0">
                  <dt className="text-ink-3">{name}</dt>
                  <dd className={clsx("break-words", ended && "text-ink-3")}>{cells[index]}</dd>
                </div>
              ))}
            </dl>
          </Panel>
        </li>
      ))}
    </ul>
  );
}

const DOTS = { active: "bg-accent", disabled: "bg-danger", revoked: "bg-danger", expired: "bg-warn" };

/** Says whether an account or a key still counts. */
export function StateMark({ state }: { state: keyof typeof DOTS }) {
  return (
    <span className="inline-flex items-center gap-2 whitespace-nowrap">
      <span aria-hidden="true" className={clsx("size-2.5 shrink-0 rounded-full", DOTS[state])} />
      {text.people.states[state]}
    </span>
  );
}
