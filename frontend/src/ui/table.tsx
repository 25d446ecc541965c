import clsx from "clsx";
import type { Key, ReactNode } from "react";

export interface Column {
  name: string;
  numeric?: boolean;
}

interface Props {
  columns: readonly Column[];
  rows: readonly { key: Key; cells: readonly ReactNode[] }[];
  caption?: string;
  className?: string;
  /** Keeps the column names in view while the container scrolls. */
  sticky?: boolean;
}

/** A plain table without a frame. */
export function PlainTable({ columns, rows, caption, className, sticky = false }: Props) {
  const cell = (index: number) => clsx("break-words py-1.5 pr-4 last:pr-0", columns[index]?.numeric && "text-right");
  return (
    <table className={clsx("w-full text-sm", className)}>
      {caption && <caption className="pb-1 text-left text-ink-2">{caption}</caption>}
      <thead className={clsx("text-left text-ink-3", sticky && "sticky top-0 bg-paper")}>
        <tr>
          {columns.map(({ name }, index) => (
            <th key={name} scope="col" className={clsx("font-normal", cell(index))}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, cells }) => (
          <tr key={key} className="border-line border-t">
            {columns.map(({ name }, index) => (
              <td key={name} className={cell(index)}>
                {cells[index]}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
