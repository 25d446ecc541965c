import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Prediction } from "../api/types";
import { formatClock, formatMilliseconds, formatPercent } from "../format/numbers";
import { text } from "../text";
import { BarRow } from "../ui/bar-row";
import { Button } from "../ui/button";
import { Panel } from "../ui/layout";
import { WarningNotice } from "../ui/notice";

const words = text.tryIt.result;
const FEW = 6;
const MOST_EVENTS = 50;

/** Shows one model's prediction: label, scores, events and timing. */
export function PredictionPanel({ prediction }: { prediction: Prediction }) {
  const [all, setAll] = useState(false);
  const ranked = Object.entries(prediction.scores).sort(([, one], [, other]) => other - one);
  const shown = all ? ranked : ranked.slice(0, FEW);
  const { model, timing_ms: timing } = prediction;
  return (
    <Panel className="p-5 sm:p-6">
      <p className="text-ink-2 text-sm">
        {words.predicted} {words.from}{" "}
        <Link
          to="/models/$id"
          params={{ id: String(model.model_id) }}
          className="text-ink underline underline-offset-4"
        >
          {model.model_name}
          {model.version && `, ${model.version}`}
        </Link>
      </p>
      <p className="mt-1 flex flex-wrap items-baseline justify-between gap-x-4 font-semibold text-2xl tracking-tight">
        <span className="min-w-0 break-words">{prediction.label}</span>
        <span>{formatPercent(prediction.score)}</span>
      </p>
      {prediction.warnings.map((warning) => (
        <div key={warning} className="mt-3">
          <WarningNotice>{warning}</WarningNotice>
        </div>
      ))}
      <h3 className="sr-only">{words.scores}</h3>
      <ul className="mt-5 space-y-2 text-sm">
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
      {prediction.events.length === 0 && <p className="text-ink-2 text-sm">{words.noEvents}</p>}
      <ul className="text-sm">
        {prediction.events.slice(0, MOST_EVENTS).map((event) => (
          <li key={`${event.label}${event.start}`} className="flex flex-wrap justify-between gap-x-4 py-0.5">
            <span>{event.label}</span>
            <span className="text-ink-2">
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
