import { type MouseEvent, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import type { Prediction } from "../api/types";
import { useDelay } from "../browser/use-delay";
import { useElementWidth } from "../browser/use-element-width";
import { text } from "../text";
import { Panel } from "../ui/layout";
import { WarningNotice } from "../ui/notice";
import { ProgressBar } from "../ui/progress-bar";
import { TimeAxis } from "../ui/time-axis";
import { type ClipScores, isPartial, keepRows } from "./partial-prediction";
import { SPECTRUM_PX, SpectrumStrip, Waveform } from "./picture/picture-strips";
import { type Picture, usePicture } from "./picture/use-picture";
import { PointerReadout } from "./pointer-readout";
import { Differences, ScoreRows } from "./score-rows";
import type { TrySearch } from "./search-params";
import { getView, isWhole, roundTime, type TimeSpan } from "./time-view";
import { TimelineControls } from "./timeline-controls";
import { type Player, usePlayer } from "./use-player";
import { alignLabels, rankLabels } from "./window-comparison";

const words = text.tryIt.strips;
const MOST_ROWS = 8;
const MOVED_SECONDS = 0.01;
const ARRIVED_SECONDS = 0.1;
const SLOW_MS = 300;

type View = Pick<TrySearch, "t" | "from" | "to">;

interface Props {
  blob: Blob;
  /** The answers of the models, and of those that still compute the windows so far. */
  scores: readonly ClipScores[];
  /** No model answered, so nothing but the recording itself can be shown. */
  refused: boolean;
  view: View;
  onView: (view: { [Key in keyof View]?: View[Key] | undefined }) => void;
}

/** Draws waveform, spectrogram and window scores over one time axis with a shared cursor. A click moves the cursor. */
export function ClipTimeline({ blob, scores, refused, view: { t, from, to }, onView }: Props) {
  const strips = useRef<HTMLDivElement>(null);
  const width = useElementWidth(strips);
  const player = usePlayer(blob);
  const answers = useMemo(() => scores.filter((each): each is Prediction => !isPartial(each)), [scores]);
  const part = useMemo(
    () => (from === undefined || to === undefined ? undefined : { start: from, end: to }),
    [from, to],
  );
  const picture = usePicture(blob, part, width);
  const duration = player.duration || picture.duration || answers[0]?.audio.duration_seconds || 0;
  const view = useMemo(() => getView(from, to, duration), [from, to, duration]);
  const [pointer, setPointer] = useState<{ x: number; y: number }>();
  const rows = useRows(scores);
  const [first, second] = answers;
  useStoredMoment(player, duration, t, onView);

  const setView = (next: TimeSpan) =>
    onView(
      isWhole(next, duration)
        ? { from: undefined, to: undefined }
        : { from: roundTime(next.start), to: roundTime(next.end) },
    );
  /** Returns where the pointer is over the strips, in CSS pixels, or undefined beside them. */
  const locate = ({ clientX, clientY }: MouseEvent) => {
    const box = strips.current?.getBoundingClientRect();
    if (!box || box.width === 0 || clientX < box.left || clientX > box.right) return undefined;
    return { x: (clientX - box.left) / box.width, y: clientY - box.top };
  };
  const seek = (event: MouseEvent) => {
    const place = locate(event);
    if (place) player.seek(view.start + place.x * (view.end - view.start));
  };

  const hidden = picture.state === "failed" || picture.state === "too-long";
  // What the server refused and the browser cannot read is no recording: there is nothing to show below the refusal.
  if (refused && hidden && player.state === "failed") return null;
  const limit = describeLimit(player, picture, answers.length > 0);
  return (
    <Panel className="p-4 sm:p-6">
      <TimelineControls player={player} duration={duration} view={view} onView={setView} predictions={scores} />
      {limit && (
        <div className="mt-4">
          <WarningNotice>{limit}</WarningNotice>
        </div>
      )}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the position slider above serves keyboards */}
      <section
        aria-label={words.label}
        onClick={seek}
        onMouseMove={(event) => setPointer(locate(event))}
        onMouseLeave={() => setPointer(undefined)}
        className="relative mt-4 grid cursor-crosshair grid-cols-[5.5rem_minmax(0,1fr)] gap-y-3 [--gutter:5.5rem] sm:grid-cols-[9rem_minmax(0,1fr)] sm:[--gutter:9rem]"
      >
        <RowName hidden={hidden}>{words.waveform}</RowName>
        <div hidden={hidden} className="overflow-hidden">
          <Waveform overview={picture.overview} view={view} width={width} />
        </div>
        <RowName hidden={hidden} scale={[words.topFrequency, words.bottomFrequency]}>
          {words.spectrum}
        </RowName>
        <div hidden={hidden} data-strip="spectrum" className="relative overflow-hidden rounded bg-sunken">
          <SpectrumStrip overview={picture.overview} view={view} width={width} />
          {picture.state === "drawing" && <DrawingProgress share={picture.share} />}
        </div>
        {scores.map((prediction, place) => (
          <ScoreRows
            // biome-ignore lint/suspicious/noArrayIndexKey: the first and the second choice can be the same model
            key={place}
            prediction={prediction}
            labels={rows[place] ?? []}
            view={view}
            named={scores.length > 1}
          />
        ))}
        {first && second && <Differences first={first} second={second} view={view} />}
        <RowName>{words.time}</RowName>
        <TimeAxis from={view.start} to={view.end} />
        <div
          ref={strips}
          aria-hidden="true"
          className="pointer-events-none absolute inset-y-0 right-0 left-(--gutter) overflow-hidden"
        >
          <div
            className="absolute inset-y-0 w-0.5 bg-ink"
            style={{ left: `${duration ? ((player.time - view.start) / (view.end - view.start)) * 100 : 0}%` }}
          />
        </div>
        {pointer && (
          <PointerReadout
            at={pointer}
            strips={strips}
            time={view.start + pointer.x * (view.end - view.start)}
            rows={rows}
            predictions={scores}
            spectrumPx={SPECTRUM_PX}
          />
        )}
      </section>
      {scores.length > 0 && <p className="mt-3 text-ink-2 text-sm">{words.legend}</p>}
    </Panel>
  );
}

/** Says what of the recording this browser can neither play nor draw. */
function describeLimit(player: Player, picture: Picture, scored: boolean): string | undefined {
  if (picture.state === "too-long") return words.tooLong;
  if (!scored && picture.state === "failed" && player.state === "failed") return words.neitherAlone;
  if (picture.state === "failed") return player.state === "failed" ? words.neither : words.notDrawn;
  return player.state === "failed" ? words.notPlayed : undefined;
}

/** A bar on the strip while its picture is computed. A picture that takes no time shows none. */
function DrawingProgress({ share }: { share: number }) {
  const slow = useDelay(SLOW_MS);
  if (!slow) return null;
  return <ProgressBar label={words.drawing} value={share} className="absolute inset-x-0 bottom-0 h-1 rounded-none" />;
}

/** Seeks to the moment of the address once, then keeps the address at the position where the player rests. */
function useStoredMoment(player: Player, duration: number, t: number | undefined, onView: Props["onView"]): void {
  const { state, playing, time, seek } = player;
  const [wanted] = useState(t);
  const arrived = useRef(wanted === undefined);
  useEffect(() => {
    if (state === "ready" && !arrived.current) seek(Math.min(wanted ?? 0, duration));
  }, [state, seek, wanted, duration]);
  useEffect(() => {
    if (state !== "ready" || playing) return;
    const rest = roundTime(time);
    if (!arrived.current) arrived.current = Math.abs(rest - Math.min(wanted ?? 0, duration)) <= ARRIVED_SECONDS;
    if (!arrived.current) return;
    if (Math.abs(rest - (t ?? 0)) > MOVED_SECONDS) onView({ t: rest === 0 ? undefined : rest });
  }, [state, playing, time, t, onView, wanted, duration]);
}

/** Returns the labels to draw of each model. While windows come, a label stays in its row as long as it is drawn. */
function useRows(scores: readonly ClipScores[]): string[][] {
  const before = useRef<string[][]>([]);
  return useMemo(() => {
    before.current = chooseRows(scores).map((best, place) =>
      scores.some(isPartial) ? keepRows(before.current[place] ?? [], best) : best,
    );
    return before.current;
  }, [scores]);
}

function chooseRows(scores: readonly ClipScores[]): string[][] {
  const [first, second] = scores.filter((each): each is Prediction => !isPartial(each));
  if (first && second) return alignLabels(first, second, MOST_ROWS).rows;
  return scores.map((each) => rankLabels(each, MOST_ROWS));
}

interface RowNameProps {
  children: ReactNode;
  hidden?: boolean;
  /** What the top and the bottom of the strip stand for. */
  scale?: readonly [top: string, bottom: string];
}

export function RowName({ children, hidden = false, scale }: RowNameProps) {
  return (
    <div
      hidden={hidden}
      className="flex justify-between gap-1 pr-2 text-ink-2 text-xs leading-5 sm:text-sm [&[hidden]]:hidden"
    >
      <p className="truncate">{children}</p>
      {scale && (
        <p
          aria-hidden="true"
          className="flex flex-col justify-between whitespace-nowrap text-right text-ink-3 text-xs leading-4 max-sm:hidden"
        >
          <span>{scale[0]}</span>
          <span>{scale[1]}</span>
        </p>
      )}
    </div>
  );
}
