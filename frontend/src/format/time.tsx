import { useSyncExternalStore } from "react";

const TICK_MS = 15_000;
const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const timeOfDay = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "narrow" });

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

let now = Date.now();
const subscribers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** All relative times on the page share one timer. */
function subscribe(listener: () => void): () => void {
  subscribers.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of subscribers) each();
  }, TICK_MS);
  return () => {
    subscribers.delete(listener);
    if (subscribers.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

export function formatAgo(at: number, present: number): string {
  const seconds = Math.round((at - present) / 1000);
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(0, "second");
}

export const formatUtc = (at: string): string => `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** Formats seconds since 1970 as a time of day in the viewer's time zone. */
export const formatTimeOfDay = (seconds: number): string => timeOfDay.format(seconds * 1000);

interface Props {
  at: string;
  form?: "absolute" | "exact" | "relative";
}

/** Shows a time in the viewer's time zone, with UTC as its title. */
export function Time({ at, form = "absolute" }: Props) {
  const present = useSyncExternalStore(subscribe, () => now);
  const moment = new Date(at);
  const shown =
    form === "relative"
      ? formatAgo(moment.getTime(), Math.max(present, moment.getTime()))
      : (form === "exact" ? exact : absolute).format(moment);
  return (
    <time dateTime={moment.toISOString()} title={formatUtc(at)} className="whitespace-nowrap">
      {shown}
    </time>
  );
}
