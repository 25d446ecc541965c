import { useEffect, useRef } from "react";
import type { Prediction } from "../api/types";
import { useElementWidth } from "../browser/use-element-width";
import { buildColorScale, getColor } from "../theme/color-scale";
import { readToken, useResolvedTheme } from "../theme/theme";
import { computeCells } from "./window-comparison";

export const ROW_PX = 22;
const GAP_PX = 2;
const HATCH_PX = 8;

/** Hatches the cells of a window that was not scored, so that it does not look like scores of zero. */
export function drawNotScored(
  context: CanvasRenderingContext2D,
  left: number,
  width: number,
  height: number,
  top = 0,
): void {
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.strokeStyle = readToken("line-strong");
  context.beginPath();
  for (let x = left - height; x < left + width; x += HATCH_PX) {
    context.moveTo(x, top + height);
    context.lineTo(x + height, top);
  }
  context.stroke();
  context.restore();
}

interface Props {
  prediction: Prediction;
  labels: readonly string[];
  duration: number;
  label: string;
}

/** Draws a row for each label and a cell for each window. A darker cell means a higher score. */
export function ScoreHeatmap({ prediction, labels, duration, label }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useElementWidth(canvas);
  const theme = useResolvedTheme();
  const height = labels.length * ROW_PX;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme decides the colors drawn
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || width === 0) return;
    const scale = devicePixelRatio;
    element.width = Math.round(width * scale);
    element.height = Math.round(height * scale);
    context.scale(scale, scale);
    const ramp = buildColorScale();
    const places = computeCells(prediction.windows);
    prediction.windows.forEach((window, index) => {
      const place = places[index];
      if (!place) return;
      const left = (place.start / duration) * width;
      const right = (place.end / duration) * width;
      const gap = right - left > 4 * GAP_PX ? GAP_PX : 0;
      const { scores } = window;
      if (!scores) {
        drawNotScored(context, left, Math.max(right - left - gap, 1), height);
        return;
      }
      labels.forEach((name, row) => {
        context.fillStyle = getColor(ramp, scores[name] ?? 0);
        context.fillRect(left, row * ROW_PX, Math.max(right - left - gap, 1), ROW_PX - GAP_PX);
      });
    });
  }, [prediction, labels, duration, width, height, theme]);

  return <canvas ref={canvas} role="img" aria-label={label} className="block w-full" style={{ height }} />;
}
