import { expect, test } from "vitest";
import { parseLabels, suggestName } from "./register-dialog";

test("a file's name suggests the model's", () => {
  expect(suggestName("models/yamnet_human-v2.keras")).toBe("yamnet human v2");
  expect(parseLabels("dog, rain,, crying baby ")).toEqual(["dog", "rain", "crying baby"]);
});
