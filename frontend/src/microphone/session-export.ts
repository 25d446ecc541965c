import { formatRows } from "../try/export";
import type { SessionState } from "./session-state";

const toIso = (seconds: number) => new Date(seconds * 1000).toISOString();
const toSeconds = (from: number, to: number) => Number((to - from).toFixed(3));

interface ExportedRow {
  kind: "crossing" | "not heard";
  start: string;
  end: string;
  seconds: number;
  label: string;
  peak: number | "";
  threshold: number | "";
  model: string;
  acknowledged: boolean | "";
}

/** Returns the crossings and what was not heard, oldest first, with UTC times. */
export function listExportedRows({ crossings, gaps }: SessionState): ExportedRow[] {
  const rows: ExportedRow[] = [
    ...crossings.map(({ start, end, label, peak, threshold, model, acknowledged }) => ({
      kind: "crossing" as const,
      start: toIso(start),
      end: toIso(end),
      seconds: toSeconds(start, end),
      label,
      peak,
      threshold,
      model,
      acknowledged,
    })),
    ...gaps.map(({ from, to }) => ({
      kind: "not heard" as const,
      start: toIso(from),
      end: toIso(to),
      seconds: toSeconds(from, to),
      label: "",
      peak: "" as const,
      threshold: "" as const,
      model: "",
      acknowledged: "" as const,
    })),
  ];
  return rows.sort((one, other) => one.start.localeCompare(other.start));
}

const COLUMNS = ["kind", "start", "end", "seconds", "label", "peak", "threshold", "model", "acknowledged"] as const;

export function toSessionCsv(session: SessionState): string {
  return formatRows([COLUMNS, ...listExportedRows(session).map((row) => COLUMNS.map((name) => String(row[name])))]);
}

export const toSessionJson = (session: SessionState): string => JSON.stringify(listExportedRows(session), null, 2);
