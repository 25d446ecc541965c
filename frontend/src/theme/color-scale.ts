import { token } from "./theme";

export type Colour = readonly [red: number, green: number, blue: number];

export function parseHex(hex: string): Colour {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

const STEPS = 256;
// The accent sits past the middle, so that quiet background stays near the page's own colour.
const ACCENT_AT = 0.62;

/** 256 colours from the page's background over the accent to the ink: the one scale for scores and spectra. */
export function colourRamp(): Colour[] {
  const [low, middle, high] = [token("sunken"), token("accent"), token("ink")].map(parseHex) as [
    Colour,
    Colour,
    Colour,
  ];
  return Array.from({ length: STEPS }, (_, index) => {
    const at = index / (STEPS - 1);
    return at < ACCENT_AT
      ? mix(low, middle, at / ACCENT_AT)
      : mix(middle, high, ((at - ACCENT_AT) / (1 - ACCENT_AT)) * 0.7);
  });
}

function mix(one: Colour, other: Colour, share: number): Colour {
  const channel = (index: 0 | 1 | 2) => Math.round(one[index] + (other[index] - one[index]) * share);
  return [channel(0), channel(1), channel(2)];
}

/** The colour of a value between 0 and 1. */
export function colourOf(ramp: readonly Colour[], value: number): string {
  const index = Math.max(0, Math.min(ramp.length - 1, Math.round(value * (ramp.length - 1))));
  return `rgb(${(ramp[index] ?? [0, 0, 0]).join(" ")})`;
}
