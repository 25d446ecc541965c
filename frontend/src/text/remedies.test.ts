import { expect, test } from "vitest";
import { makeProblem } from "../test/fixtures";
import { getPageRemedy } from "./remedies";

test.each([
  ["no_active_model", "Activate a model: `understudy activate MODEL_ID`, or POST /api/v1/models/{model_id}/activate."],
  ["model_not_found", "List the registered models with GET /api/v1/models or `understudy list`."],
])("the remedy of %s is a click, not a request", (code, remedy) => {
  expect(getPageRemedy(makeProblem({ code, remedy }))).toMatch(/Models page/);
});

test("a remedy that a person can follow is kept", () => {
  expect(getPageRemedy(makeProblem({ code: "name_taken", remedy: "Choose another name." }))).toBe(
    "Choose another name.",
  );
});
