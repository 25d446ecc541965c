import { useEffect, useRef } from "react";
import { useElementWidth } from "../browser/use-element-width";
import { text } from "../text";
import { useResolvedTheme } from "../theme/theme";
import type { ListeningState } from "./listening";
import type { Gap } from "./session-state";
import {
  AXIS_PX,
  drawAxis,
  drawBackground,
  drawGaps,
  drawScores,
  drawSwaps,
  findStart,
  GAP_PX,
  ROW_PX,
  readStripColors,
  SPECTRUM_PX,
  type StripView,
} from "./strip-drawing";

export { AXIS_PX, ROW_PX, SPECTRUM_PX } from "./strip-drawing";

interface Props {
  state: ListeningState;
  labels: readonly string[];
  /** Seconds across the strip. */
  seconds: number;
}

/** Returns what was not heard, up to `time` where no scores come now. */
function listGaps({ session, hearing }: ListeningState, time: number): readonly Gap[] {
  return hearing.kind === "deaf" ? [...session.gaps, { from: hearing.since, to: time }] : session.gaps;
}

/** Draws spectrogram, scores and time axis of the last seconds: moving while sound arrives, then frozen. */
export function ScoreCanvas({ state, labels, seconds }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useElementWidth(canvas);
  const theme = useResolvedTheme();
  const height = SPECTRUM_PX + labels.length * ROW_PX + AXIS_PX;
  const moving = state.connection !== "idle";
  const shown = useRef({ state, labels });
  useEffect(() => {
    shown.current = { state, labels };
  });
  const { sound } = state;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme decides the colors drawn
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || width === 0) return;
    element.width = Math.round(width * devicePixelRatio);
    element.height = Math.round(height * devicePixelRatio);
    context.scale(devicePixelRatio, devicePixelRatio);
    context.font = `12px ${getComputedStyle(element).fontFamily}`;
    context.textBaseline = "middle";
    const colors = readStripColors();
    sound?.spectrum.recolor(colors.ramp);
    let frame = 0;
    const paint = () => {
      const { state: present, labels: rows } = shown.current;
      // After a reload the picture of an earlier session is shown up to its last window.
      const time = sound?.getTime() ?? present.session.windows.at(-1)?.end ?? 0;
      const view: StripView = { context, colors, time, span: seconds, width, height };
      context.clearRect(0, 0, width, height);
      drawBackground(view, rows.length, findStart(present.session));
      sound?.spectrum.draw(context, time, seconds, width, SPECTRUM_PX - GAP_PX * 2);
      drawScores(view, present.session, rows);
      drawGaps(view, listGaps(present, time), rows.length);
      drawAxis(view);
      drawSwaps(view, present.session);
      if (moving) frame = requestAnimationFrame(paint);
    };
    paint();
    return () => cancelAnimationFrame(frame);
  }, [sound, moving, seconds, width, height, theme]);

  return (
    <canvas
      ref={canvas}
      role="img"
      aria-label={text.microphone.scores(seconds)}
      className="block w-full"
      style={{ height }}
    />
  );
}
