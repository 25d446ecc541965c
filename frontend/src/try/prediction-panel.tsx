import { useState } from "react";
import type { Prediction } from "../api/types";
import { formatClock, formatMilliseconds, formatPercent } from "../format/numbers";
import { text } from "../text";
import { BarRow } from "../ui/bar-row";
import { Button } from "../ui/button";
import { Panel } from "../ui/layout";
import { useAnsweringSpec } from "./use-answering-spec";

const words = text.tryIt.result;
const FEW = 6;
const MOST_EVENTS = 50;

/** Shows one model's scores of the whole clip, its events and its timing. */
export function PredictionPanel({ prediction }: { prediction: Prediction }) {
  const [all, setAll] = useState(false);
  const ranked = Object.entries(prediction.scores).sort(([, one], [, other]) => other - one);
  const shown = all ? ranked : ranked.slice(0, FEW);
  const { model, timing_ms: timing } = prediction;
  const { spec } = useAnsweringSpec(prediction.model);
  return (
    <Panel className="p-5 sm:p-6">
      <h2 className="break-words font-semibold tracking-tight">{words.scoresOf(model.model_name)}</h2>
      {spec && <p className="text-ink-2 text-sm">{words.aggregations[spec.aggregation]}</p>}
      <ul className="mt-4 space-y-2 text-sm">
        {shown.map(([label, score]) => (
          <BarRow key={label} name={label} fraction={score} value={formatPercent(score)} />
        ))}
      </ul>
      {!all && ranked.length > FEW && (
        <Button small look="quiet" className="mt-3 -ml-3" onClick={() => setAll(true)}>
          {words.showAll(ranked.length)}
        </Button>
      )}
      <h3 className="mt-5 font-medium text-sm">{words.events}</h3>
      {prediction.events.length === 0 && <p className="text-ink-2 text-sm">{text.tryIt.verdict.noEvents}</p>}
      <ul className="text-sm">
        {prediction.events.slice(0, MOST_EVENTS).map((event) => (
          <li key={`${event.label}${event.start}`} className="flex justify-between gap-x-4 py-0.5">
            <bdi className="min-w-0 break-words">{event.label}</bdi>
            <span className="shrink-0 text-right text-ink-2">
              {words.event(formatClock(event.start), formatClock(event.end), formatPercent(event.peak))}
            </span>
          </li>
        ))}
      </ul>
      {prediction.events.length > MOST_EVENTS && (
        <p className="mt-2 text-ink-2 text-sm">{words.eventsCut(MOST_EVENTS, prediction.events.length)}</p>
      )}
      <p className="mt-5 text-ink-3 text-sm">
        {words.time}:{" "}
        {(["queue", "decode", "features", "inference"] as const)
          .map((phase) => `${words.phases[phase]} ${formatMilliseconds(timing[phase])}`)
          .join(", ")}
      </p>
    </Panel>
  );
}
