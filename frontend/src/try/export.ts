import type { Prediction } from "../api/types";

/** One row a window and model: model, start, end, top label, its score, then the score of every label. */
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
      window.label,
      window.score,
      ...labels.map((label) => window.scores[label] ?? ""),
    ]),
  );
  return [head, ...rows].map((row) => row.map(quoteCell).join(",")).join("\r\n");
}

function quoteCell(value: string | number): string {
  const written = String(value);
  // A leading = + - or @ would be a formula to a spreadsheet; numbers are not text and stay as they are.
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
