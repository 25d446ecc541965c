import { type Lab, mixLab, toLab, toRgb } from "./oklab";
import { readToken } from "./theme";

export type Color = readonly [red: number, green: number, blue: number];

export function parseHex(hex: string): Color {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

const STEPS = 256;

/**
 * Returns 256 colors from the background over the accent to the ink: the scale of scores and spectrograms. Lightness
 * changes evenly along it (in OKLab), so that equal steps of a score look equally large.
 */
export function buildColorScale(): Color[] {
  const [low, middle, high] = ["sunken", "accent", "ink"].map((name) => toLab(parseHex(readToken(name)))) as [
    Lab,
    Lab,
    Lab,
  ];
  const whole = high[0] - low[0];
  const middleAt = whole === 0 ? 0.5 : (middle[0] - low[0]) / whole;
  return Array.from({ length: STEPS }, (_, index) => {
    const at = index / (STEPS - 1);
    const mixed =
      at < middleAt ? mixLab(low, middle, at / middleAt) : mixLab(middle, high, (at - middleAt) / (1 - middleAt));
    return toRgb(mixed);
  });
}

/** Returns the CSS color of a value between 0 and 1. */
export function getColor(ramp: readonly Color[], value: number): string {
  const index = Math.max(0, Math.min(ramp.length - 1, Math.round(value * (ramp.length - 1))));
  return `rgb(${(ramp[index] ?? [0, 0, 0]).join(" ")})`;
}
