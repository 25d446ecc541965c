import type { Prediction } from "../api/types";
import { text } from "../text";
import { clock, share } from "../ui/format";

const words = text.tryIt.strips;
const MOST = 400;

/** The heat strips in words, for readers who cannot see them. */
export function WindowTable({ predictions }: { predictions: readonly Prediction[] }) {
  return (
    <details className="mt-6 text-sm">
      <summary className="w-fit font-medium">{words.table}</summary>
      <div className="mt-3 grid gap-8 lg:grid-cols-2">
        {predictions.map((prediction) => (
          <div key={prediction.model.model_id} className="overflow-x-auto">
            <table className="w-full">
              <caption className="pb-1 text-left text-ink-2">{words.scores(prediction.model.model_name)}</caption>
              <thead className="text-left text-ink-3">
                <tr>
                  {[words.start, words.end, words.top, words.score].map((name) => (
                    <th key={name} scope="col" className="py-1 pr-4 font-normal last:pr-0 last:text-right">
                      {name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {prediction.windows.slice(0, MOST).map((window) => (
                  <tr key={window.start} className="border-line border-t">
                    <td className="py-1 pr-4">{clock(window.start, 2)}</td>
                    <td className="py-1 pr-4">{clock(window.end, 2)}</td>
                    <td className="py-1 pr-4">{window.label}</td>
                    <td className="py-1 text-right">{share(window.score)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            {prediction.windows.length > MOST && (
              <p className="mt-2 text-ink-2">{words.tableCut(MOST, prediction.windows.length)}</p>
            )}
          </div>
        ))}
      </div>
    </details>
  );
}
