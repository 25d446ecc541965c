import { useEffect, useMemo, useRef } from "react";
import { useWidth } from "../browser/use-element-width";
import { clock } from "../format/numbers";
import { text } from "../text";
import { type Colour, colourOf, colourRamp } from "../theme/color-scale";
import { token, useShownTheme } from "../theme/theme";
import { RollingSpectrum } from "./rolling-spectrogram";
import { type LiveRecord, SHOWN_SECONDS } from "./session-state";
import type { Listening } from "./use-session";

export const SPECTRUM_PX = 150;
export const ROW_PX = 22;
export const AXIS_PX = 26;
const GAP_PX = 2;
const ROOMY_PX = 320;

interface Props {
  sound: NonNullable<Listening["sound"]>;
  record: LiveRecord;
  labels: readonly string[];
}

/** Spectrogram, scores and time axis of the last thirty seconds, drawn as sound comes in. */
export function LiveCanvas({ sound, record, labels }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(canvas);
  const theme = useShownTheme();
  const spectrum = useMemo(() => new RollingSpectrum(sound.analyser), [sound]);
  const height = SPECTRUM_PX + labels.length * ROW_PX + AXIS_PX;
  const shown = useRef({ record, labels });
  useEffect(() => {
    shown.current = { record, labels };
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours drawn are the theme's
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || width === 0) return;
    element.width = Math.round(width * devicePixelRatio);
    element.height = Math.round(height * devicePixelRatio);
    context.scale(devicePixelRatio, devicePixelRatio);
    context.font = `12px ${getComputedStyle(element).fontFamily}`;
    context.textBaseline = "middle";
    const colours = coloursNow();
    spectrum.recolour(colours.ramp);
    let frame = 0;
    const paint = () => {
      spectrum.add(sound.clock());
      const view: View = { context, colours, time: sound.clock(), width, height };
      context.clearRect(0, 0, width, height);
      drawBackground(view, shown.current.labels.length);
      spectrum.draw(context, view.time, width, SPECTRUM_PX - GAP_PX * 2);
      drawScores(view, shown.current.record, shown.current.labels);
      drawAxis(view);
      drawSwaps(view, shown.current.record);
      frame = requestAnimationFrame(paint);
    };
    paint();
    return () => cancelAnimationFrame(frame);
  }, [sound, spectrum, width, height, theme]);

  return <canvas ref={canvas} role="img" aria-label={text.live.scores} className="block w-full" style={{ height }} />;
}

interface View {
  context: CanvasRenderingContext2D;
  colours: ReturnType<typeof coloursNow>;
  time: number;
  width: number;
  height: number;
}

const coloursNow = () => ({
  ramp: colourRamp() as readonly Colour[],
  empty: token("sunken"),
  tick: token("line-strong"),
  number: token("ink-2"),
  mark: token("ink"),
});

const xOf = (view: View, at: number) => view.width - ((view.time - at) / SHOWN_SECONDS) * view.width;

function drawBackground({ context, colours, width }: View, rows: number): void {
  context.fillStyle = colours.empty;
  context.fillRect(0, 0, width, SPECTRUM_PX - GAP_PX * 2);
  for (let row = 0; row < rows; row += 1) context.fillRect(0, SPECTRUM_PX + row * ROW_PX, width, ROW_PX - GAP_PX);
}

function drawScores(view: View, record: LiveRecord, labels: readonly string[]): void {
  for (const window of record.windows) {
    const left = xOf(view, window.start);
    const wide = xOf(view, window.start + record.hop) - left - GAP_PX;
    labels.forEach((label, row) => {
      const score = window.scores[label];
      if (score === undefined) return;
      view.context.fillStyle = colourOf(view.colours.ramp, score);
      view.context.fillRect(left, SPECTRUM_PX + row * ROW_PX, Math.max(1, wide), ROW_PX - GAP_PX);
    });
  }
}

function drawAxis(view: View): void {
  const { context, colours, time, height } = view;
  const top = height - AXIS_PX;
  const step = view.width < ROOMY_PX ? 10 : 5;
  const first = Math.max(0, Math.ceil((time - SHOWN_SECONDS) / step)) * step;
  for (let at = first; at <= time; at += step) {
    context.fillStyle = colours.tick;
    context.fillRect(xOf(view, at), top + 4, 1, 8);
    context.fillStyle = colours.number;
    context.fillText(clock(at, 0), xOf(view, at) + 4, top + 14);
  }
}

function drawSwaps(view: View, record: LiveRecord): void {
  view.context.fillStyle = view.colours.mark;
  for (const swap of record.swaps) {
    const x = xOf(view, swap.at);
    view.context.fillRect(x, 0, 2, view.height - AXIS_PX);
    view.context.fillText(text.live.swapTo(swap.model.model_name), x + 6, 12);
  }
}
