import { formatClock, formatPercent } from "../format/numbers";
import { text } from "../text";
import { Button } from "../ui/button";
import { PauseIcon, PlayIcon } from "../ui/icons";
import type { ClipScores } from "./partial-prediction";
import { isWhole, moveView, type TimeSpan, zoomView } from "./time-view";
import type { Player } from "./use-player";
import { findWindowAt } from "./window-comparison";

const words = text.tryIt;

interface Props {
  player: Player;
  duration: number;
  view: TimeSpan;
  onView: (view: TimeSpan) => void;
  predictions: readonly ClipScores[];
}

/** Plays the clip, moves its cursor, and chooses the part in view. */
export function TimelineControls({ player, duration, view, onView, predictions }: Props) {
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
      <ZoomButtons view={view} center={player.time} duration={duration} onView={onView} />
      <div className="flex w-full flex-wrap gap-x-6 text-sm">
        {predictions.map((prediction, place) => {
          const window = findWindowAt(prediction.windows, player.time);
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: the first and the second choice can be the same model
            <p key={place} className="min-w-44 break-words">
              <span className="text-ink-3">
                <bdi>{prediction.model.model_name}</bdi>:{" "}
              </span>
              {window && (
                <span className="font-medium">
                  {window.label === null || window.score === null
                    ? words.strips.notScored
                    : words.strips.at(window.label, formatPercent(window.score))}
                </span>
              )}
            </p>
          );
        })}
      </div>
    </div>
  );
}

interface ZoomProps {
  view: TimeSpan;
  /** The time that stays in its place. */
  center: number;
  duration: number;
  onView: (view: TimeSpan) => void;
}

function ZoomButtons({ view, center, duration, onView }: ZoomProps) {
  const whole = isWhole(view, duration);
  const inside = center >= view.start && center <= view.end ? center : (view.start + view.end) / 2;
  const zoom = (factor: number) => onView(zoomView(view, factor, inside, duration));
  return (
    <fieldset className="flex gap-1">
      <legend className="sr-only">{words.zoom.label}</legend>
      <Button small square aria-label={words.zoom.closer} disabled={duration === 0} onClick={() => zoom(0.5)}>
        +
      </Button>
      <Button small square aria-label={words.zoom.wider} disabled={whole} onClick={() => zoom(2)}>
        −
      </Button>
      <Button
        small
        square
        aria-label={words.zoom.earlier}
        disabled={whole || view.start <= 0}
        onClick={() => onView(moveView(view, -0.5, duration))}
      >
        ←
      </Button>
      <Button
        small
        square
        aria-label={words.zoom.later}
        disabled={whole || view.end >= duration}
        onClick={() => onView(moveView(view, 0.5, duration))}
      >
        →
      </Button>
    </fieldset>
  );
}
