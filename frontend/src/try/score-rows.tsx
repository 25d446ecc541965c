import { useMemo } from "react";
import type { Prediction, ScoredWindow } from "../api/types";
import { text } from "../text";
import { type ClipScores, isPartial } from "./partial-prediction";
import { ROW_PX, ScoreHeatmap } from "./score-heatmap";
import type { TimeSpan } from "./time-view";
import { useAnsweringSpec } from "./use-answering-spec";
import { alignLabels, compareWindows, computeCells, joinSpans } from "./window-comparison";

const words = text.tryIt.strips;
/** Marks that are drawn side by side at most; closer ones are joined. */
const MOST_MARKS = 500;

interface ScoreRowsProps {
  prediction: ClipScores;
  labels: readonly string[];
  view: TimeSpan;
  /** Shows the model's name above the rows; needed with two models. */
  named: boolean;
}

/** One model's window scores: a row of bars for each label. */
export function ScoreRows({ prediction, labels, view, named }: ScoreRowsProps) {
  const { spec } = useAnsweringSpec(prediction.model);
  return (
    <>
      {named && (
        <p className="col-span-2 -mb-2 break-words font-medium text-sm">
          <bdi>{prediction.model.model_name}</bdi>
        </p>
      )}
      <div className="pr-2">
        {labels.map((label) => (
          <p
            key={label}
            title={label}
            className="truncate text-xs sm:text-sm"
            style={{ height: ROW_PX, lineHeight: `${ROW_PX - 2}px` }}
          >
            <bdi>{label}</bdi>
          </p>
        ))}
      </div>
      <div data-strip="scores">
        <ScoreHeatmap
          prediction={prediction}
          labels={labels}
          thresholds={spec?.thresholds}
          view={view}
          label={(isPartial(prediction) ? words.scoresSoFar : words.scores)(prediction.model.model_name)}
        />
      </div>
    </>
  );
}

interface DifferencesProps {
  first: Prediction;
  second: Prediction;
  view: TimeSpan;
}

/** Marks the windows in which two models name different labels, and says how far their labels are the same. */
export function Differences({ first, second, view }: DifferencesProps) {
  const { different, compared } = useMemo(() => compareWindows(first, second), [first, second]);
  const { shared, own } = useMemo(() => alignLabels(first, second, 1), [first, second]);
  const marks = useMemo(() => {
    const marked = new Set(different);
    const cells = computeCells(first.windows).filter((_, index) => marked.has(first.windows[index] as ScoredWindow));
    return joinSpans(cells, (view.end - view.start) / MOST_MARKS);
  }, [first, different, view]);
  const toPercent = (seconds: number) => ((seconds - view.start) / (view.end - view.start)) * 100;
  return (
    <>
      <p className="truncate pr-2 text-ink-2 text-xs leading-5 sm:text-sm">{words.disagree}</p>
      <div>
        <div aria-hidden="true" className="relative h-3 overflow-hidden rounded-sm bg-sunken">
          {marks.map(({ start, end }) => (
            <span
              key={start}
              className="absolute inset-y-0 bg-warn"
              style={{ left: `${toPercent(start)}%`, width: `${toPercent(end) - toPercent(start)}%` }}
            />
          ))}
        </div>
        <p className="mt-1 pl-2 text-ink-2 text-sm">
          {words.disagreeCount(different.length, compared)}{" "}
          {first.windows.length > compared && words.notCompared(first.windows.length - compared)}{" "}
          {words.sharedLabels(shared, own[0] + own[1])}
        </p>
      </div>
    </>
  );
}
