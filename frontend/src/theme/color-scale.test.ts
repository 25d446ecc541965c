import { beforeEach, expect, test } from "vitest";
import { buildColorScale } from "./color-scale";
import { toLab, toRgb } from "./oklab";

const TOKENS = { light: ["#eff3f1", "#0b7358", "#131d19"], dark: ["#1b2320", "#4fcfa4", "#e7eeea"] };

beforeEach(() => document.documentElement.removeAttribute("style"));

test.each(Object.entries(TOKENS))("the lightness of the %s scale changes by even steps", (_, [low, middle, high]) => {
  const style = document.documentElement.style;
  style.setProperty("--sunken", low ?? "");
  style.setProperty("--accent", middle ?? "");
  style.setProperty("--ink", high ?? "");
  const lightness = buildColorScale().map((color) => toLab(color)[0]);
  const steps = lightness.slice(1).map((value, index) => value - (lightness[index] ?? 0));
  const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length;
  // Channels are whole numbers, so single steps differ by up to their rounding.
  for (const step of steps) expect(Math.abs(step - mean)).toBeLessThan(0.006);
});

test("a color survives the way to OKLab and back", () => {
  expect(toRgb(toLab([11, 115, 88]))).toEqual([11, 115, 88]);
});
