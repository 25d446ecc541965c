import { type RefObject, useLayoutEffect, useState } from "react";
import { formatClock, formatCount, formatPercent } from "../format/numbers";
import { text } from "../text";
import { type ClipScores, isPartial } from "./partial-prediction";
import { HIGHEST_HZ } from "./picture/overview";
import { ROW_PX } from "./score-heatmap";
import { findWindowAt } from "./window-comparison";

const words = text.tryIt.strips;
const OFFSET_PX = 14;

interface Props {
  /** Where the pointer is over the strips: across as a fraction of their width, down in CSS pixels. */
  at: { x: number; y: number };
  strips: RefObject<HTMLDivElement | null>;
  time: number;
  rows: readonly (readonly string[])[];
  predictions: readonly ClipScores[];
  spectrumPx: number;
}

/** Reads out what is under the pointer: the time, and the label and score or the frequency. */
export function PointerReadout({ at, strips, time, rows, predictions, spectrumPx }: Props) {
  const [line, setLine] = useState("");
  useLayoutEffect(() => {
    const box = strips.current;
    if (box) setLine(readStrip(box, at.y, time, rows, predictions, spectrumPx) ?? "");
  }, [strips, at.y, time, rows, predictions, spectrumPx]);
  const right = at.x > 0.6;
  return (
    <div aria-hidden="true" className="pointer-events-none absolute inset-y-0 right-0 left-(--gutter)">
      <div
        className="absolute z-10 whitespace-nowrap rounded-md border border-line bg-surface px-2 py-1 text-sm shadow-lg"
        style={{
          top: at.y + OFFSET_PX,
          ...(right ? { right: `${(1 - at.x) * 100}%` } : { left: `${at.x * 100}%` }),
        }}
      >
        {[formatClock(time, 2), line].filter((part) => part !== "").join("  ")}
      </div>
    </div>
  );
}

function readStrip(
  strips: HTMLElement,
  y: number,
  time: number,
  rows: Props["rows"],
  predictions: Props["predictions"],
  spectrumPx: number,
): string | undefined {
  const top = strips.getBoundingClientRect().top;
  const places = [...(strips.parentElement?.querySelectorAll<HTMLElement>("[data-strip]") ?? [])];
  const under = places.find((place) => {
    const box = place.getBoundingClientRect();
    return top + y >= box.top && top + y < box.bottom;
  });
  if (!under) return undefined;
  const inside = top + y - under.getBoundingClientRect().top;
  if (under.dataset.strip === "spectrum") return words.frequency(formatCount(toFrequency(1 - inside / spectrumPx)));
  const model = places.filter((place) => place.dataset.strip === "scores").indexOf(under);
  const label = rows[model]?.[Math.floor(inside / ROW_PX)];
  const scores = predictions[model];
  if (scores && isPartial(scores) && time >= scores.until) return words.notYet;
  const window = scores && findWindowAt(scores.windows, time);
  if (label === undefined || !window) return undefined;
  const score = window.scores?.[label];
  if (score !== undefined) return words.at(label, formatPercent(score));
  return words.at(label, window.scores === null ? words.notScored : words.notListed);
}

/** Returns the frequency in Hz at a height of the spectrogram, 0 at the bottom and 1 at the top: its axis is mel. */
export function toFrequency(height: number): number {
  const highest = 2595 * Math.log10(1 + HIGHEST_HZ / 700);
  const hertz = 700 * (10 ** ((Math.min(1, Math.max(0, height)) * highest) / 2595) - 1);
  return Math.round(hertz / 10) * 10;
}
