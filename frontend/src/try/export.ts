import type { Prediction } from "../api/types";

/** Formats predictions as CSV: one row per model and window, one column per label. */
export function toCsv(predictions: readonly Prediction[]): string {
  const labels = [...new Set(predictions.flatMap((prediction) => Object.keys(prediction.scores)))];
  const head = ["model", "version", "digest", "start", "end", "label", "score", ...labels];
  const rows = predictions.flatMap(({ model, windows }) =>
    windows.map((window) => [
      model.model_name,
      model.version ?? "",
      model.digest,
      window.start,
      window.end,
      window.label ?? "",
      window.score ?? "",
      ...labels.map((label) => window.scores?.[label] ?? ""),
    ]),
  );
  return formatRows([head, ...rows]);
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

export function downloadFile(name: string, content: string, type: string): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
