const percent = new Intl.NumberFormat(undefined, {
  style: "percent",
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});
const integer = new Intl.NumberFormat();

export const formatCount = (value: number): string => integer.format(value);
export const formatPercent = (value: number): string => percent.format(value);

/** Formats a size in decimal units: 1.3 kB. */
export function formatBytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let amount = value;
  let unit = 0;
  while (amount >= 999.5 && unit < units.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  return `${unit === 0 || amount >= 99.5 ? Math.round(amount) : amount.toFixed(1)} ${units[unit]}`;
}

/** Formats a position in a clip: 0:04.3, 12:30.0, 1:02:30.0. */
export function formatClock(seconds: number, decimals = 1): string {
  const factor = 10 ** decimals;
  const rounded = Math.round(seconds * factor) / factor;
  const hours = Math.floor(rounded / 3600);
  const minutes = Math.floor((rounded % 3600) / 60);
  const rest = (rounded % 60).toFixed(decimals).padStart(decimals ? decimals + 3 : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** Formats a duration in its two largest units: 45 s, 3 min 20 s, 2 d 4 h. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 86400), "d"],
    [Math.floor((whole % 86400) / 3600), "h"],
    [Math.floor((whole % 3600) / 60), "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(" ");
}

const scientific = new Intl.NumberFormat(undefined, { notation: "scientific", maximumSignificantDigits: 2 });
export const formatScientific = (value: number): string => (value === 0 ? "0" : scientific.format(value).toLowerCase());

export const formatMilliseconds = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
