import { expect, test } from "vitest";
import { findLabelsError, parseLines } from "./labels-field";

test("each line is a label; empty lines are none", () => {
  expect(parseLines(" dog\n\nrain, heavy \r\n")).toEqual(["dog", "rain, heavy"]);
});

test("labels must be as many as the model needs, each once; none means those of the file", () => {
  expect(findLabelsError(["dog"], 2)).toBe("The model needs 2 labels; 1 are given.");
  expect(findLabelsError(["dog", "dog"], 2)).toBe("Each label may occur once.");
  expect(findLabelsError(["dog"], null)).toBeUndefined();
  expect(findLabelsError([], 2)).toBeUndefined();
  expect(findLabelsError(["dog", "rain"], 2)).toBeUndefined();
});
