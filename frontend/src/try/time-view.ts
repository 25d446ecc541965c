export interface TimeSpan {
  start: number;
  end: number;
}

const SHORTEST_SECONDS = 0.5;

/** Returns the part of a clip in view: what the address says, within the clip, else all of it. Times are seconds. */
export function getView(from: number | undefined, to: number | undefined, duration: number): TimeSpan {
  if (from === undefined || to === undefined || from >= duration) return { start: 0, end: duration };
  return { start: from, end: Math.min(to, duration) };
}

/** Returns a view that is `factor` times as long, around `center` and within the clip. */
export function zoomView(view: TimeSpan, factor: number, center: number, duration: number): TimeSpan {
  const length = Math.min(duration, Math.max(SHORTEST_SECONDS, (view.end - view.start) * factor));
  const share = Math.min(1, Math.max(0, (center - view.start) / (view.end - view.start)));
  const start = Math.min(Math.max(0, center - share * length), duration - length);
  return { start, end: start + length };
}

/** Returns the view moved by a part of its length, within the clip. */
export function moveView(view: TimeSpan, share: number, duration: number): TimeSpan {
  const length = view.end - view.start;
  const start = Math.min(Math.max(0, view.start + share * length), duration - length);
  return { start, end: start + length };
}

/** Tells whether a view shows the whole clip. */
export const isWhole = ({ start, end }: TimeSpan, duration: number): boolean => start <= 0 && end >= duration - 1e-6;

/** Rounds to hundredths, for the address. */
export const roundTime = (seconds: number): number => Math.round(seconds * 100) / 100;
