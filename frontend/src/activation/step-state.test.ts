import { expect, test } from "vitest";
import { makeOperation } from "../test/fixtures";
import { compareLabels } from "./compare-labels";
import { getStepState, STEPS } from "./step-state";

test("steps before a failure are done, those after it are waiting", () => {
  const failed = makeOperation({ state: "failed", step: "warm_up" });
  expect(STEPS.map((step) => getStepState(failed, step))).toEqual(["done", "done", "failed", "waiting", "waiting"]);
});

test("the labels added and removed are found, those that stay are left out", () => {
  expect(compareLabels(["dog", "rain"], ["rain", "siren"])).toEqual({ added: ["siren"], removed: ["dog"] });
});
