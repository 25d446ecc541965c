import { expect, test } from "vitest";
import { toMetadata, validateDraft } from "./metadata-fields";

test("accuracy outside 0 to 1 is caught before it is sent, and a decimal comma is understood", () => {
  const draft = { name: "A", version: "", type: "", description: "", accuracy: "1.2" };
  expect(validateDraft(draft).accuracy).toBeDefined();
  expect(validateDraft({ ...draft, accuracy: "abc" }).accuracy).toBeDefined();
  expect(toMetadata({ ...draft, accuracy: "0,92" }).accuracy).toBe(0.92);
  expect(toMetadata({ ...draft, accuracy: "" }).accuracy).toBeNull();
});
