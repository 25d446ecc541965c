import { useEffect, useRef } from "react";
import { colourOf, colourRamp } from "../audio/ramp";
import { text } from "../text";
import { clock } from "../ui/format";
import { token, useShownTheme } from "../ui/theme";
import { useWidth } from "../ui/use-width";
import { type LiveRecord, SHOWN_SECONDS } from "./record";
import { RollingSpectrum } from "./rolling-spectrum";
import type { Listening } from "./use-live";

export const SPECTRUM_PX = 150;
export const ROW_PX = 22;
export const AXIS_PX = 26;
const GAP_PX = 2;
const TICK_SECONDS = 5;

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
    const spectrum = new RollingSpectrum(sound.analyser);
    const colours = { ramp: colourRamp(), line: token("line-strong"), ink: token("ink-2"), mark: token("ink") };
    const font = `12px ${getComputedStyle(element).fontFamily}`;
    let frame = 0;
    const paint = () => {
      const time = sound.clock();
      const x = (at: number) => width - ((time - at) / SHOWN_SECONDS) * width;
      context.clearRect(0, 0, width, height);
      spectrum.add(time);
      spectrum.draw(context, time, width, SPECTRUM_PX - GAP_PX * 2);
      drawScores(context, shown.current.record, shown.current.labels, x, colours.ramp);
      context.font = font;
      context.textBaseline = "middle";
      const axis = height - AXIS_PX;
      for (
        let at = Math.max(0, Math.ceil((time - SHOWN_SECONDS) / TICK_SECONDS)) * TICK_SECONDS;
        at <= time;
        at += TICK_SECONDS
      ) {
        context.fillStyle = colours.line;
        context.fillRect(x(at), axis + 4, 1, 8);
        context.fillStyle = colours.ink;
        context.fillText(clock(at, 0), x(at) + 4, axis + 14);
      }
      for (const swap of shown.current.record.swaps) {
        context.fillStyle = colours.mark;
        context.fillRect(x(swap.at), 0, 2, axis);
        context.fillText(text.live.swapTo(swap.model.model_name), x(swap.at) + 6, 12);
      }
      frame = requestAnimationFrame(paint);
    };
    paint();
    return () => cancelAnimationFrame(frame);
  }, [sound, width, height, theme]);

  return <canvas ref={canvas} role="img" aria-label={text.live.scores} className="block w-full" style={{ height }} />;
}

function drawScores(
  context: CanvasRenderingContext2D,
  record: LiveRecord,
  labels: readonly string[],
  x: (at: number) => number,
  ramp: ReturnType<typeof colourRamp>,
): void {
  for (const window of record.windows) {
    const left = x(window.start);
    const wide = x(window.start + record.hop) - left - GAP_PX;
    labels.forEach((label, row) => {
      const score = window.scores[label];
      if (score === undefined) return;
      context.fillStyle = colourOf(ramp, score);
      context.fillRect(left, SPECTRUM_PX + row * ROW_PX, Math.max(1, wide), ROW_PX - GAP_PX);
    });
  }
}
