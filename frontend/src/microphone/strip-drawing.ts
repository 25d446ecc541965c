import { formatTimeOfDay } from "../format/time";
import { text } from "../text";
import { buildColorScale, type Color, getColor } from "../theme/color-scale";
import { readToken } from "../theme/theme";
import { drawNotScored } from "../try/score-heatmap";
import { type Gap, getThreshold, type SessionState } from "./session-state";

export const SPECTRUM_PX = 150;
export const ROW_PX = 22;
export const AXIS_PX = 26;
export const GAP_PX = 2;
const TICK_PX = 90;
const TICK_STEPS = [1, 2, 5, 10, 15, 30];
/** Cells narrower than this touch each other: with spaces between them they would look like a barcode. */
const SPACED_PX = 12;

export type StripColors = ReturnType<typeof readStripColors>;

export const readStripColors = () => ({
  ramp: buildColorScale() as readonly Color[],
  empty: readToken("sunken"),
  tick: readToken("line-strong"),
  number: readToken("ink-2"),
  mark: readToken("ink"),
  warn: readToken("warn"),
  warnSoft: readToken("warn-soft"),
});

/** Where and what is drawn. `time` is the right edge in seconds since 1970, `span` the seconds across `width`. */
export interface StripView {
  context: CanvasRenderingContext2D;
  colors: StripColors;
  time: number;
  span: number;
  width: number;
  height: number;
}

const toX = (view: StripView, at: number) => view.width - ((view.time - at) / view.span) * view.width;

/** Draws the ground of the strips. Before `from` nobody listened: there is no ground, which would look like silence. */
export function drawBackground(view: StripView, rows: number, from: number): void {
  const { context, colors, width } = view;
  const left = Math.max(0, toX(view, from));
  context.fillStyle = colors.empty;
  context.fillRect(left, 0, width - left, SPECTRUM_PX - GAP_PX * 2);
  for (let row = 0; row < rows; row += 1) {
    context.fillRect(left, SPECTRUM_PX + row * ROW_PX, width - left, ROW_PX - GAP_PX);
  }
}

/** Returns when the oldest sound that is kept was heard or missed; infinity where nothing was. */
export const findStart = ({ windows, gaps }: SessionState): number =>
  Math.min(windows[0]?.start ?? Number.POSITIVE_INFINITY, gaps[0]?.from ?? Number.POSITIVE_INFINITY);

export function drawScores(view: StripView, session: SessionState, labels: readonly string[]): void {
  const { context, colors } = view;
  for (const window of session.windows) {
    const left = toX(view, window.start);
    const wide = toX(view, window.start + session.hop) - left;
    const cell = Math.max(1, wide > SPACED_PX ? wide - GAP_PX : wide);
    if (left + wide < 0) continue;
    const { scores } = window;
    if (!scores) {
      drawNotScored(context, left, cell, labels.length * ROW_PX, SPECTRUM_PX);
      continue;
    }
    labels.forEach((label, row) => {
      const score = scores[label];
      if (score === undefined) return;
      const top = SPECTRUM_PX + row * ROW_PX;
      context.fillStyle = getColor(colors.ramp, score);
      context.fillRect(left, top, cell, ROW_PX - GAP_PX);
      if (score < getThreshold(session, label)) return;
      context.fillStyle = colors.mark;
      context.fillRect(left, top + ROW_PX - GAP_PX - 3, wide, 3);
    });
  }
}

/** Hatches stretches that no model heard, over the spectrogram and every row. */
export function drawGaps(view: StripView, gaps: readonly Gap[], rows: number): void {
  const { context, colors, width } = view;
  const bottom = SPECTRUM_PX + rows * ROW_PX - GAP_PX;
  for (const gap of gaps) {
    const left = Math.max(0, toX(view, gap.from));
    const right = Math.min(width, toX(view, gap.to));
    if (right <= left) continue;
    context.fillStyle = colors.warnSoft;
    context.globalAlpha = 0.7;
    context.fillRect(left, 0, right - left, bottom);
    context.globalAlpha = 1;
    drawNotScored(context, left, right - left, bottom);
    const caption = text.microphone.notHeard;
    const wide = context.measureText(caption).width + 8;
    if (wide > right - left) continue;
    context.fillStyle = colors.warnSoft;
    context.fillRect(left + 2, 4, wide, 18);
    context.fillStyle = colors.warn;
    context.fillText(caption, left + 6, 13);
  }
}

export function drawAxis(view: StripView): void {
  const { context, colors, time, span, height, width } = view;
  const top = height - AXIS_PX;
  const step = TICK_STEPS.find((each) => (each / span) * width >= TICK_PX) ?? span;
  for (let at = Math.ceil((time - span) / step) * step; at <= time; at += step) {
    const x = toX(view, at);
    context.fillStyle = colors.tick;
    context.fillRect(x, top + 4, 1, 8);
    context.fillStyle = colors.number;
    context.fillText(formatTimeOfDay(at), x + 4, top + 14);
  }
}

export function drawSwaps(view: StripView, session: SessionState): void {
  view.context.fillStyle = view.colors.mark;
  for (const swap of session.swaps) {
    const x = toX(view, swap.at);
    if (x < 0) continue;
    view.context.fillRect(x, 0, 2, view.height - AXIS_PX);
    view.context.fillText(text.microphone.swapTo(swap.model.model_name), x + 6, 34);
  }
}
