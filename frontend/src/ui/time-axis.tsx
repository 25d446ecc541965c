import { useRef } from "react";
import { useElementWidth } from "../browser/use-element-width";
import { formatClock } from "../format/numbers";

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
const MOST_TICKS = 8;
const TICK_PX = 56;

/** Returns the round times between two times (seconds): at most `most`, one step apart. */
export function computeTicks(from: number, to: number, most = MOST_TICKS): number[] {
  const step = STEPS.find((each) => (to - from) / each <= most) ?? 7200;
  const first = Math.ceil(from / step);
  const count = Math.max(0, Math.floor(to / step + 1e-9) - first + 1);
  return Array.from({ length: count }, (_, index) => (first + index) * step);
}

/** A time axis in seconds, as wide as its container. */
export function TimeAxis({ from, to }: { from: number; to: number }) {
  const place = useRef<HTMLDivElement>(null);
  const width = useElementWidth(place);
  const most = Math.max(1, Math.min(MOST_TICKS, Math.floor(width / TICK_PX)));
  const shown = to > from ? computeTicks(from, to, most) : [];
  const decimals = shown.some((time) => time % 1 !== 0) ? 1 : 0;
  return (
    <div ref={place} aria-hidden="true" className="relative h-5 overflow-hidden text-ink-2 text-xs">
      {shown.map((time) => (
        <span
          key={time}
          className="absolute top-0 border-line-strong border-l pl-1 leading-5"
          style={{ left: `${((time - from) / (to - from)) * 100}%` }}
        >
          {formatClock(time, decimals)}
        </span>
      ))}
    </div>
  );
}
