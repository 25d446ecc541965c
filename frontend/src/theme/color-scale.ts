import { readToken } from "./theme";

export type Color = readonly [red: number, green: number, blue: number];

export function parseHex(hex: string): Color {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

const STEPS = 256;
// The accent lies past the middle, so that low values stay near the page's background.
const ACCENT_AT = 0.62;

/** Returns 256 colors from the background over the accent to the ink: the scale of scores and spectrograms. */
export function buildColorScale(): Color[] {
  const [low, middle, high] = [readToken("sunken"), readToken("accent"), readToken("ink")].map(parseHex) as [
    Color,
    Color,
    Color,
  ];
  return Array.from({ length: STEPS }, (_, index) => {
    const at = index / (STEPS - 1);
    return at < ACCENT_AT
      ? mixColors(low, middle, at / ACCENT_AT)
      : mixColors(middle, high, ((at - ACCENT_AT) / (1 - ACCENT_AT)) * 0.7);
  });
}

function mixColors(one: Color, other: Color, share: number): Color {
  const channel = (index: 0 | 1 | 2) => Math.round(one[index] + (other[index] - one[index]) * share);
  return [channel(0), channel(1), channel(2)];
}

/** Returns the CSS color of a value between 0 and 1. */
export function getColor(ramp: readonly Color[], value: number): string {
  const index = Math.max(0, Math.min(ramp.length - 1, Math.round(value * (ramp.length - 1))));
  return `rgb(${(ramp[index] ?? [0, 0, 0]).join(" ")})`;
}
