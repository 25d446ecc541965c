import { useEffect, useMemo, useRef } from "react";
import { useElementWidth } from "../browser/use-element-width";
import { formatClock } from "../format/numbers";
import { text } from "../text";
import { buildColorScale, type Color, getColor } from "../theme/color-scale";
import { readToken, useResolvedTheme } from "../theme/theme";
import { drawNotScored } from "../try/score-heatmap";
import { RollingSpectrogram } from "./rolling-spectrogram";
import { type SessionState, SHOWN_SECONDS } from "./session-state";
import type { Microphone } from "./use-microphone";

export const SPECTRUM_PX = 150;
export const ROW_PX = 22;
export const AXIS_PX = 26;
const GAP_PX = 2;
const ROOMY_PX = 320;

interface Props {
  sound: NonNullable<Microphone["sound"]>;
  session: SessionState;
  labels: readonly string[];
}

/** Draws spectrogram, scores and time axis of the last thirty seconds while sound arrives. */
export function ScoreCanvas({ sound, session, labels }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useElementWidth(canvas);
  const theme = useResolvedTheme();
  const spectrum = useMemo(() => new RollingSpectrogram(sound.analyser), [sound]);
  const height = SPECTRUM_PX + labels.length * ROW_PX + AXIS_PX;
  const shown = useRef({ session, labels });
  useEffect(() => {
    shown.current = { session, labels };
  });

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
    const colors = readColors();
    spectrum.recolor(colors.ramp);
    let frame = 0;
    const paint = () => {
      spectrum.add(sound.clock());
      const view: View = { context, colors, time: sound.clock(), width, height };
      context.clearRect(0, 0, width, height);
      drawBackground(view, shown.current.labels.length);
      spectrum.draw(context, view.time, width, SPECTRUM_PX - GAP_PX * 2);
      drawScores(view, shown.current.session, shown.current.labels);
      drawAxis(view);
      drawSwaps(view, shown.current.session);
      frame = requestAnimationFrame(paint);
    };
    paint();
    return () => cancelAnimationFrame(frame);
  }, [sound, spectrum, width, height, theme]);

  return (
    <canvas ref={canvas} role="img" aria-label={text.microphone.scores} className="block w-full" style={{ height }} />
  );
}

interface View {
  context: CanvasRenderingContext2D;
  colors: ReturnType<typeof readColors>;
  time: number;
  width: number;
  height: number;
}

const readColors = () => ({
  ramp: buildColorScale() as readonly Color[],
  empty: readToken("sunken"),
  tick: readToken("line-strong"),
  number: readToken("ink-2"),
  mark: readToken("ink"),
});

const toX = (view: View, at: number) => view.width - ((view.time - at) / SHOWN_SECONDS) * view.width;

function drawBackground({ context, colors, width }: View, rows: number): void {
  context.fillStyle = colors.empty;
  context.fillRect(0, 0, width, SPECTRUM_PX - GAP_PX * 2);
  for (let row = 0; row < rows; row += 1) context.fillRect(0, SPECTRUM_PX + row * ROW_PX, width, ROW_PX - GAP_PX);
}

function drawScores(view: View, session: SessionState, labels: readonly string[]): void {
  for (const window of session.windows) {
    const left = toX(view, window.start);
    const wide = toX(view, window.start + session.hop) - left - GAP_PX;
    const { scores } = window;
    if (!scores) {
      drawNotScored(view.context, left, Math.max(1, wide), labels.length * ROW_PX, SPECTRUM_PX);
      continue;
    }
    labels.forEach((label, row) => {
      const score = scores[label];
      if (score === undefined) return;
      view.context.fillStyle = getColor(view.colors.ramp, score);
      view.context.fillRect(left, SPECTRUM_PX + row * ROW_PX, Math.max(1, wide), ROW_PX - GAP_PX);
    });
  }
}

function drawAxis(view: View): void {
  const { context, colors, time, height } = view;
  const top = height - AXIS_PX;
  const step = view.width < ROOMY_PX ? 10 : 5;
  const first = Math.max(0, Math.ceil((time - SHOWN_SECONDS) / step)) * step;
  for (let at = first; at <= time; at += step) {
    context.fillStyle = colors.tick;
    context.fillRect(toX(view, at), top + 4, 1, 8);
    context.fillStyle = colors.number;
    context.fillText(formatClock(at, 0), toX(view, at) + 4, top + 14);
  }
}

function drawSwaps(view: View, session: SessionState): void {
  view.context.fillStyle = view.colors.mark;
  for (const swap of session.swaps) {
    const x = toX(view, swap.at);
    view.context.fillRect(x, 0, 2, view.height - AXIS_PX);
    view.context.fillText(text.microphone.swapTo(swap.model.model_name), x + 6, 12);
  }
}
