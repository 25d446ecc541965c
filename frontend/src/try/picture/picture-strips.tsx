import { type RefObject, useEffect, useRef } from "react";
import { buildColorScale } from "../../theme/color-scale";
import { readToken, useResolvedTheme } from "../../theme/theme";
import type { TimeSpan } from "../time-view";
import type { Overview } from "./overview";

export const WAVE_PX = 88;
export const SPECTRUM_PX = 140;
const BAR_PX = 3;
const BAR_GAP_PX = 1;

interface Props {
  overview: Overview | undefined;
  view: TimeSpan;
  width: number;
}

/** Draws the waveform as bars. */
export function Waveform({ overview, view, width }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useResolvedTheme();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme decides the colors drawn
  useEffect(() => {
    const context = prepare(canvas, width, WAVE_PX);
    if (!context || !overview) return;
    context.fillStyle = readToken("line-strong");
    for (let left = 0; left < width; left += BAR_PX) {
      const tall = Math.max(1, findPeak(overview, view, left / width, (left + BAR_PX) / width) * WAVE_PX);
      context.fillRect(left, (WAVE_PX - tall) / 2, BAR_PX - BAR_GAP_PX, tall);
    }
  }, [overview, view, width, theme]);
  return <canvas ref={canvas} className="block w-full" style={{ height: WAVE_PX }} />;
}

/** Draws the spectrogram, from 0 to 8 kHz on a mel axis. */
export function SpectrumStrip({ overview, view, width }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useResolvedTheme();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme decides the colors drawn
  useEffect(() => {
    const context = prepare(canvas, width, SPECTRUM_PX);
    if (!context || !overview) return;
    const scale = width / (view.end - view.start);
    // While the picture of the view is computed, that of the view before is drawn in its place.
    const [left, wide] = [(overview.from - view.start) * scale, (overview.to - overview.from) * scale];
    context.drawImage(paintLevels(overview), left, 0, wide, SPECTRUM_PX);
  }, [overview, view, width, theme]);
  return <canvas ref={canvas} className="block w-full" style={{ height: SPECTRUM_PX }} />;
}

function prepare(canvas: RefObject<HTMLCanvasElement | null>, width: number, height: number) {
  const element = canvas.current;
  const context = element?.getContext("2d");
  if (!element || !context || width === 0) return undefined;
  element.width = Math.round(width * devicePixelRatio);
  element.height = Math.round(height * devicePixelRatio);
  context.scale(devicePixelRatio, devicePixelRatio);
  return context;
}

/** Returns the highest peak between two shares of the view. */
function findPeak({ peaks, columns, from, to }: Overview, view: TimeSpan, start: number, end: number): number {
  const toColumn = (share: number) => ((view.start + share * (view.end - view.start) - from) / (to - from)) * columns;
  const first = Math.max(0, Math.floor(toColumn(start)));
  const last = Math.min(columns, Math.max(first + 1, Math.ceil(toColumn(end))));
  let peak = 0;
  for (let column = first; column < last; column += 1) peak = Math.max(peak, peaks[column] ?? 0);
  return peak;
}

function paintLevels({ levels, columns, rows }: Overview): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [columns, rows];
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  const ramp = buildColorScale();
  const image = context.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  const packed = Uint32Array.from(
    ramp,
    ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0,
  );
  levels.forEach((level, index) => {
    pixels[index] = packed[level] ?? 0;
  });
  context.putImageData(image, 0, 0);
  return canvas;
}
