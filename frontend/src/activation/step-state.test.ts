import { expect, test } from "vitest";
import { faultsOf, valuesOf } from "../models/metadata-fields";
import { nextSort, readFilter } from "../models/search-params";
import { labelsFrom, nameFrom } from "../registration/register-dialog";
import { anEntry, anOperation } from "../test/fixtures";
import { labelChange, lastWentLive, STEPS, stepState } from "./step-state";

test("steps before a failure are done, those after it never came", () => {
  const failed = anOperation({ state: "failed", step: "warm_up" });
  expect(STEPS.map((step) => stepState(failed, step))).toEqual(["done", "done", "failed", "waiting", "waiting"]);
});

test("the live model's entry is its latest activation or rollback", () => {
  const entries = [
    anEntry({ history_id: 4, event: "updated" }),
    anEntry({ history_id: 3, event: "rolled_back", actor: "cli" }),
    anEntry({ history_id: 2, event: "activated" }),
  ];
  expect(lastWentLive(entries, 1)?.actor).toBe("cli");
});

test("labels that come and go are told apart from those that stay", () => {
  expect(labelChange(["dog", "rain"], ["rain", "siren"])).toEqual({ added: ["siren"], removed: ["dog"] });
});

test("an address with a sort order that does not exist falls back to the default", () => {
  expect(readFilter({ q: "yam", sort: "password" })).toEqual({ q: "yam" });
  expect(readFilter({ sort: "-accuracy", type: "" })).toEqual({ sort: "-accuracy" });
});

test("a second click on a heading turns the order around", () => {
  expect(nextSort("name", "-accuracy")).toBe("-accuracy");
  expect(nextSort("-accuracy", "-accuracy")).toBe("accuracy");
  expect(nextSort("name", "name")).toBe("-name");
});

test("accuracy outside 0 to 1 is caught before it is sent, and a decimal comma is understood", () => {
  const draft = { name: "A", version: "", type: "", description: "", accuracy: "1.2" };
  expect(faultsOf(draft).accuracy).toBeDefined();
  expect(faultsOf({ ...draft, accuracy: "abc" }).accuracy).toBeDefined();
  expect(valuesOf({ ...draft, accuracy: "0,92" }).accuracy).toBe(0.92);
  expect(valuesOf({ ...draft, accuracy: "" }).accuracy).toBeNull();
});

test("a file's name suggests the model's", () => {
  expect(nameFrom("models/yamnet_human-v2.keras")).toBe("yamnet human v2");
  expect(labelsFrom("dog, rain,, crying baby ")).toEqual(["dog", "rain", "crying baby"]);
});
