import { expect, test } from "vitest";
import { makeProblem } from "../test/fixtures";
import { getPageRemedy, getPageWarning } from "./remedies";

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

test.each([
  [
    "The model's labels have no names: its answers say class_0. Name them: understudy update 3 --labels FILE, then: understudy activate 3",
    "The model's labels have no names: its answers say class_0. Name them: choose Edit on the model's page, and activate the model again",
  ],
  [
    "Say it in the spec, or find it by the answers of the author's own script: understudy spec find FILE --examples examples.csv",
    "Say it in the spec, or find it by the answers of the author's own script (the manual's chapter Find a spec shows how)",
  ],
  [
    "Give clips with the answers of the author's own script: understudy update 3 --examples examples.csv",
    "Give clips with the answers of the author's own script: drop them below Examples on the model's page",
  ],
  [
    "labels.txt beside the file names 3 labels; use it with --labels models/labels.txt: understudy update 3 --labels models/labels.txt",
    "labels.txt beside the file names 3 labels; choose Edit on the model's page and write them there",
  ],
  [
    "Name the features in its spec (docs/presets.md): understudy update 3 --spec FILE. To search them by the answers of the author's own script: understudy spec find FILE --examples examples.csv",
    "Name the features in its spec (the manual's chapter Presets): register the file again together with its .spec.json. To search them by the answers of the author's own script (the manual's chapter Find a spec shows how)",
  ],
  [
    "answers with the earlier spec until it is activated again: understudy activate 3",
    "answers with the earlier spec until it is activated again: choose Activate on the model's page",
  ],
  [
    "This refusal is remembered; to try again all the same: understudy compile MODEL_ID.",
    "This refusal is remembered; to try again all the same: choose Compile again on the model's page.",
  ],
  ["The clip is silent: its level stays below -60 dBFS.", "The clip is silent: its level stays below -60 dBFS."],
])("a warning names clicks, not commands: %s", (sentence, expected) => {
  expect(getPageWarning(sentence)).toBe(expected);
});

test("a remedy without a click of its own names the clicks for its commands", () => {
  const remedy = "This refusal is remembered; to try again all the same: understudy compile MODEL_ID.";
  expect(getPageRemedy(makeProblem({ code: "parity_failed", remedy }))).toMatch(/choose Compile again/);
});
