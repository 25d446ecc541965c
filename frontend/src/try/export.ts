import type { Prediction, ScoredWindow } from "../api/types";
import { yieldToPage } from "../browser/yield-to-page";

const WINDOWS_TOGETHER = 200;

/** Formats predictions as CSV, in parts: one row per model and window, one column per label. */
export function* listCsvParts(predictions: readonly Prediction[]): Generator<string> {
  const labels = [...new Set(predictions.flatMap((prediction) => Object.keys(prediction.scores)))];
  yield formatRows([["model", "version", "digest", "start", "end", "label", "score", ...labels]]);
  for (const { model, windows } of predictions) {
    for (const part of slice(windows)) {
      const rows = part.map((window) => [
        model.model_name,
        model.version ?? "",
        model.digest,
        window.start,
        window.end,
        window.label ?? "",
        window.score ?? "",
        ...labels.map((label) => window.scores?.[label] ?? ""),
      ]);
      yield `\r\n${formatRows(rows)}`;
    }
  }
}

/** Formats predictions as JSON, in parts. The windows are at the end of each. */
export function* listJsonParts(predictions: readonly Prediction[]): Generator<string> {
  for (const [place, { windows, ...facts }] of predictions.entries()) {
    yield `${place === 0 ? "[" : ",\n"}${JSON.stringify(facts).slice(0, -1)},"windows":[\n`;
    let before = "";
    for (const part of slice(windows)) {
      yield before + part.map((window) => JSON.stringify(window)).join(",\n");
      before = ",\n";
    }
    yield "]}";
  }
  yield "]";
}

function* slice(windows: readonly ScoredWindow[]): Generator<readonly ScoredWindow[]> {
  for (let at = 0; at < windows.length; at += WINDOWS_TOGETHER) yield windows.slice(at, at + WINDOWS_TOGETHER);
}

/** Joins parts to a file. The page answers clicks between two parts. */
export async function collectBlob(parts: Iterable<string>, type: string): Promise<Blob> {
  const collected: string[] = [];
  for (const part of parts) {
    collected.push(part);
    await yieldToPage();
  }
  return new Blob(collected, { type });
}

/** Formats rows of cells as CSV. */
export const formatRows = (rows: readonly (readonly (string | number)[])[]): string =>
  rows.map((row) => row.map(quoteCell).join(",")).join("\r\n");

function quoteCell(value: string | number): string {
  const written = String(value);
  // A spreadsheet would run text that starts with = + - or @ as a formula. Numbers are safe.
  const safe = typeof value === "string" && /^[=+\-@]/.test(written) ? `'${written}` : written;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const downloadFile = (name: string, content: string, type: string): void =>
  downloadBlob(name, new Blob([content], { type }));

export function downloadBlob(name: string, blob: Blob): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
