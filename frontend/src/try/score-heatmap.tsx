import { useEffect, useRef } from "react";
import { useElementWidth } from "../browser/use-element-width";
import { buildColorScale, getColor } from "../theme/color-scale";
import { readToken, useResolvedTheme } from "../theme/theme";
import { type ClipScores, isPartial } from "./partial-prediction";
import type { TimeSpan } from "./time-view";
import type { Thresholds } from "./verdict";
import { computeCells } from "./window-comparison";

export const ROW_PX = 30;
const GAP_PX = 2;
const HATCH_PX = 8;
const BRACKET_PX = 5;
const LEAST_HATCHED_PX = 3;

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
  prediction: ClipScores;
  labels: readonly string[];
  thresholds: Thresholds;
  view: TimeSpan;
  label: string;
}

/**
 * Draws a row of bars for each label: a bar for each window, the threshold as a line, and the events as brackets. What
 * was not scored, or not yet, is hatched.
 */
export function ScoreHeatmap({ prediction, labels, thresholds, view, label }: Props) {
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
    const toX = (seconds: number) => ((seconds - view.start) / (view.end - view.start)) * width;
    drawRows(context, labels, width);
    drawBars(context, prediction, labels, toX, width, height);
    drawThresholds(context, labels, thresholds, width);
    drawEvents(context, prediction, labels, toX);
  }, [prediction, labels, thresholds, view, width, height, theme]);

  return <canvas ref={canvas} role="img" aria-label={label} className="block w-full" style={{ height }} />;
}

type ToX = (seconds: number) => number;

interface Bar {
  left: number;
  wide: number;
  score: number;
}

function drawRows(context: CanvasRenderingContext2D, labels: readonly string[], width: number): void {
  context.fillStyle = readToken("sunken");
  for (const row of labels.keys()) context.fillRect(0, row * ROW_PX, width, ROW_PX - GAP_PX);
}

function drawBars(
  context: CanvasRenderingContext2D,
  prediction: ClipScores,
  labels: readonly string[],
  toX: ToX,
  width: number,
  height: number,
): void {
  const { windows } = prediction;
  const ramp = buildColorScale();
  const cells = computeCells(windows);
  // Of the windows that share a pixel the highest is drawn: an hour has many more windows than pixels.
  const pending: (Bar | undefined)[] = labels.map(() => undefined);
  const draw = (bar: Bar | undefined, row: number) => {
    if (!bar) return;
    const tall = Math.max(1, Math.min(1, Math.max(0, bar.score)) * (ROW_PX - GAP_PX));
    context.fillStyle = getColor(ramp, 0.3 + 0.7 * bar.score);
    context.fillRect(bar.left, (row + 1) * ROW_PX - GAP_PX - tall, bar.wide, tall);
  };
  const unscored: [left: number, wide: number][] = [];
  if (isPartial(prediction)) {
    const left = Math.max(0, toX(prediction.until));
    if (left < width) unscored.push([left, width - left]);
  }
  windows.forEach((window, index) => {
    const cell = cells[index];
    if (!cell) return;
    const left = toX(cell.start);
    const right = toX(cell.end);
    if (right < 0 || left > width) return;
    const gap = right - left > 4 * GAP_PX ? GAP_PX : 0;
    const wide = Math.max(right - left - gap, 1);
    const { scores } = window;
    if (!scores) {
      unscored.push([left, Math.max(wide, LEAST_HATCHED_PX)]);
      return;
    }
    labels.forEach((name, row) => {
      const score = scores[name];
      if (score === undefined) return;
      const before = pending[row];
      if (before && Math.floor(before.left) === Math.floor(left)) {
        if (score > before.score) pending[row] = { left, wide, score };
        return;
      }
      draw(before, row);
      pending[row] = { left, wide, score };
    });
  });
  pending.forEach(draw);
  for (const [left, wide] of unscored) {
    context.clearRect(left, 0, wide, height);
    drawNotScored(context, left, wide, height);
  }
}

function drawThresholds(
  context: CanvasRenderingContext2D,
  labels: readonly string[],
  thresholds: Thresholds,
  width: number,
): void {
  context.save();
  context.strokeStyle = readToken("warn");
  context.setLineDash([3, 3]);
  labels.forEach((name, row) => {
    const threshold = thresholds?.[name];
    if (threshold === undefined || threshold < 0 || threshold > 1) return;
    const y = Math.round((row + 1) * ROW_PX - GAP_PX - threshold * (ROW_PX - GAP_PX)) + 0.5;
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(width, y);
    context.stroke();
  });
  context.restore();
}

function drawEvents(
  context: CanvasRenderingContext2D,
  { events }: ClipScores,
  labels: readonly string[],
  toX: ToX,
): void {
  context.strokeStyle = readToken("ink");
  context.lineWidth = 1.5;
  for (const event of events) {
    const row = labels.indexOf(event.label);
    if (row < 0) continue;
    const [left, right] = [toX(event.start) + 1, toX(event.end) - 1];
    const top = row * ROW_PX + 1;
    context.beginPath();
    context.moveTo(left, top + BRACKET_PX);
    context.lineTo(left, top);
    context.lineTo(right, top);
    context.lineTo(right, top + BRACKET_PX);
    context.stroke();
  }
}
