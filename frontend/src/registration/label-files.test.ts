import { expect, test } from "vitest";
import { suggestOtherName } from "./dropped-files";
import { isLabelFile, parseLabelFile } from "./label-files";
import { describeFrontEnd } from "./spec-preview";

test.each([
  ["labels.txt", "dog\r\nrain\r\n", ["dog", "rain"]],
  ["labels.txt", "0 dog\n1 crying baby\n", ["dog", "crying baby"]],
  ["labels.txt", "3 steps\ndog\n", ["3 steps", "dog"]],
  ["labels.json", '["dog", "rain"]', ["dog", "rain"]],
  ["labels.json", '{"id2label": {"1": "rain", "0": "dog"}}', ["dog", "rain"]],
  ["labels.json", '{"rain": 1, "dog": 0}', ["dog", "rain"]],
  ["labels.csv", "label\ndog\nrain\n", ["dog", "rain"]],
  ["labels.csv", "label;color\ndog;red\n", ["dog"]],
])("the labels of %s are read: %j", (name, content, labels) => {
  expect(parseLabelFile(name, content)).toEqual(labels);
});

test.each([
  ["labels.json", "{"],
  ["labels.json", '{"0": "dog", "2": "rain"}'],
  ["labels.csv", "index,label\n1,rain\n0,dog\n"],
  ["labels.txt", "\n"],
])("a form that could mean another order is not guessed at: %s %j", (name, content) => {
  expect(parseLabelFile(name, content)).toBeUndefined();
});

test("a label file is known by its name", () => {
  const names = ["head.labels.txt", "labels.csv", "sub/class_names.json", "mylabels.txt", "examples.csv"];
  expect(names.map(isLabelFile)).toEqual([true, true, true, false, false]);
});

test("a taken name is counted on", () => {
  expect(["head.onnx", "head-2.onnx", "Head"].map(suggestOtherName)).toEqual(["head-2.onnx", "head-3.onnx", "Head-2"]);
});

test("a front end is described by its parts", () => {
  const spec = { front_end: [{ kind: "mfcc" }, { kind: "chroma" }], sample_rate: 22_050, window_seconds: 1 };
  expect(describeFrontEnd(spec)).toBe("mfcc + chroma, 22,050 Hz, windows of 1 s");
  expect(describeFrontEnd({})).toBe("As the model file says");
});
