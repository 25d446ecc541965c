import { type ReactNode, useMemo, useRef } from "react";
import type { Prediction } from "../api/types";
import { formatClock, formatPercent } from "../format/numbers";
import { text } from "../text";
import { Button } from "../ui/button";
import { PauseIcon, PlayIcon } from "../ui/icons";
import { Panel } from "../ui/layout";
import { WarningNotice } from "../ui/notice";
import { TimeAxis } from "../ui/time-axis";
import { ROW_PX, ScoreHeatmap } from "./score-heatmap";
import { type Player, usePlayer } from "./use-player";
import { computeCells, findDisagreements, findWindowAt, rankLabels } from "./window-comparison";

const words = text.tryIt.strips;
const MOST_ROWS = 8;

interface Props {
  blob: Blob;
  predictions: readonly Prediction[];
}

/** Draws waveform, spectrogram and window scores over one time axis with a shared cursor. */
export function ClipTimeline({ blob, predictions }: Props) {
  const wave = useRef<HTMLDivElement>(null);
  const spectrum = useRef<HTMLDivElement>(null);
  const places = useMemo(() => ({ wave, spectrum }), []);
  const player = usePlayer(blob, places);
  const duration = player.duration || predictions[0]?.audio.duration_seconds || 0;
  const [first, second] = predictions;

  return (
    <Panel className="p-4 sm:p-6">
      <Controls player={player} duration={duration} predictions={predictions} />
      {player.state === "failed" && (
        <div className="mt-4">
          <WarningNotice>{words.notDrawn}</WarningNotice>
        </div>
      )}
      <section
        aria-label={words.label}
        className="relative mt-4 grid grid-cols-[5.5rem_minmax(0,1fr)] gap-y-3 [--gutter:5.5rem] sm:grid-cols-[9rem_minmax(0,1fr)] sm:[--gutter:9rem]"
      >
        <RowName hidden={player.state === "failed"}>{words.waveform}</RowName>
        <div ref={wave} hidden={player.state === "failed"} className="min-h-22" />
        <RowName hidden={player.state === "failed"}>{words.spectrum}</RowName>
        <div ref={spectrum} hidden={player.state === "failed"} className="min-h-35 overflow-hidden rounded" />
        {predictions.map((prediction) => (
          <HeatRows
            key={prediction.model.digest + prediction.model.model_id}
            prediction={prediction}
            duration={duration}
            named={second !== undefined}
          />
        ))}
        {first && second && <Differences first={first} second={second} duration={duration} />}
        <RowName>{words.time}</RowName>
        <TimeAxis from={0} to={duration} />
        <div aria-hidden="true" className="pointer-events-none absolute inset-y-0 right-0 left-(--gutter)">
          <div
            className="absolute inset-y-0 w-0.5 bg-ink"
            style={{ left: `${duration ? (player.time / duration) * 100 : 0}%` }}
          />
        </div>
      </section>
    </Panel>
  );
}

function RowName({ children, hidden = false }: { children: ReactNode; hidden?: boolean }) {
  return (
    <p hidden={hidden} className="truncate pr-2 text-ink-2 text-xs leading-5 sm:text-sm">
      {children}
    </p>
  );
}

function Controls({
  player,
  duration,
  predictions,
}: {
  player: Player;
  duration: number;
  predictions: Props["predictions"];
}) {
  const words = text.tryIt;
  return (
    <div className="flex flex-wrap items-center gap-x-5 gap-y-2">
      <Button look="primary" disabled={player.state !== "ready"} onClick={player.toggle} className="min-w-26">
        {player.playing ? <PauseIcon /> : <PlayIcon />}
        {player.playing ? words.pause : words.play}
      </Button>
      <p className="text-ink-2 text-sm">
        {formatClock(player.time)} / {formatClock(duration)}
      </p>
      <input
        type="range"
        aria-label={words.position}
        aria-valuetext={formatClock(player.time)}
        min={0}
        max={duration || 1}
        step={0.1}
        value={player.time}
        disabled={player.state !== "ready"}
        onChange={(event) => player.seek(Number(event.target.value))}
        className="min-w-32 flex-1 accent-accent"
      />
      <div className="flex w-full flex-wrap gap-x-6 text-sm lg:w-auto">
        {predictions.map((prediction) => {
          const window = findWindowAt(prediction.windows, player.time);
          return (
            <p key={prediction.model.model_id} className="min-w-44">
              <span className="text-ink-3">{prediction.model.model_name}: </span>
              {window && (
                <span className="font-medium">
                  {window.label === null || window.score === null
                    ? text.tryIt.strips.notScored
                    : text.tryIt.strips.at(window.label, formatPercent(window.score))}
                </span>
              )}
            </p>
          );
        })}
      </div>
    </div>
  );
}

interface HeatRowsProps {
  prediction: Prediction;
  duration: number;
  /** Shows the model's name above the rows; needed with two models. */
  named: boolean;
}

function HeatRows({ prediction, duration, named }: HeatRowsProps) {
  const labels = useMemo(() => rankLabels(prediction, MOST_ROWS), [prediction]);
  return (
    <>
      {named && <p className="col-span-2 -mb-2 font-medium text-sm">{prediction.model.model_name}</p>}
      <div className="pr-2">
        {labels.map((label) => (
          <p
            key={label}
            title={label}
            className="truncate text-xs sm:text-sm"
            style={{ height: ROW_PX, lineHeight: `${ROW_PX - 2}px` }}
          >
            {label}
          </p>
        ))}
      </div>
      <ScoreHeatmap
        prediction={prediction}
        labels={labels}
        duration={duration}
        label={words.scores(prediction.model.model_name)}
      />
    </>
  );
}

function Differences({ first, second, duration }: { first: Prediction; second: Prediction; duration: number }) {
  const different = new Set(findDisagreements(first, second));
  const places = computeCells(first.windows);
  return (
    <>
      <RowName>{words.disagree}</RowName>
      <div>
        <div aria-hidden="true" className="relative h-3 rounded-sm bg-sunken">
          {first.windows.map((window, index) => {
            const place = places[index];
            if (!place || !different.has(window)) return null;
            return (
              <span
                key={window.start}
                className="absolute inset-y-0 bg-warn"
                style={{
                  left: `${(place.start / duration) * 100}%`,
                  width: `${((place.end - place.start) / duration) * 100}%`,
                }}
              />
            );
          })}
        </div>
        <p className="mt-1 pl-2 text-ink-2 text-sm">{words.disagreeCount(different.size, first.windows.length)}</p>
      </div>
    </>
  );
}
