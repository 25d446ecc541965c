import { useState } from "react";
import type { Prediction } from "../api/types";
import { formatClock, formatPercent } from "../format/numbers";
import { text } from "../text";
import { PlainTable } from "../ui/table";

const words = text.tryIt.strips;
const COLUMNS = [{ name: words.start }, { name: words.end }, { name: words.top }, { name: words.score, numeric: true }];
const MOST = 400;

/** The heatmap as a table, for screen readers. Its rows are made when it is opened first, because that takes a while. */
export function WindowTable({ predictions }: { predictions: readonly Prediction[] }) {
  const [opened, setOpened] = useState(false);
  return (
    <details className="mt-6 text-sm">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a summary is a button of the browser's own */}
      <summary className="w-fit font-medium" onClick={() => setOpened(true)}>
        {words.table}
      </summary>
      <div className="mt-3 grid gap-8 lg:grid-cols-2">
        {(opened ? predictions : []).map((prediction) => (
          <div key={prediction.model.model_id} className="overflow-x-auto">
            <PlainTable
              caption={words.scores(prediction.model.model_name)}
              columns={COLUMNS}
              rows={prediction.windows.slice(0, MOST).map((window) => ({
                key: window.start,
                cells: [
                  formatClock(window.start, 2),
                  formatClock(window.end, 2),
                  window.label ?? words.notScored,
                  window.score === null ? "" : formatPercent(window.score),
                ],
              }))}
            />
            {prediction.windows.length > MOST && (
              <p className="mt-2 text-ink-2">{words.tableCut(MOST, prediction.windows.length)}</p>
            )}
          </div>
        ))}
      </div>
    </details>
  );
}
