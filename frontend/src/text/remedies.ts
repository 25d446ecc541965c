import type { Problem } from "../api/types";

/** What to click on this page, by the code of a problem whose own remedy is a request or a command. */
const REMEDIES: Record<string, string> = {
  model_not_found: "It was deleted, or the address is wrong. Choose a model on the Models page.",
  active_model_not_found: "Choose Activate beside a model on the Models page.",
  no_active_model: "Choose Activate beside a model on the Models page.",
  model_not_loaded:
    "Choose Activate beside another model on the Models page. The status on the Operations page says why.",
  report_not_found: "Choose Activate on the model's page. The model is compiled first.",
  operation_not_found: "Look at the history on the Operations page, and activate the model again if it is not live.",
  spec_invalid: "Correct the .spec.json file or the labels, then register the model again.",
  examples_missed:
    "Open the model's page: its examples show each clip. Correct the spec, or drop other examples there.",
  several_active: "Ask the person who runs the server: which model is live has to be decided there.",
  name_taken: "Choose another name, or open the model that has this name and edit it.",
  approval_needed: "Another person who may activate models approves it on the Models page.",
  approval_refused: "Let another person approve it: the Models page shows the request to everybody.",
  request_stale: "Look at what is live now, and choose Activate again if it is still wanted.",
  request_closed: "Choose Activate again if the model should still go live.",
  frozen: "Wait until the freeze ends. In an emergency an admin activates all the same and says why.",
  nothing_to_confirm: "Look at the Models page: another model is live, or somebody has confirmed it.",
  not_signed:
    "Let the holder of a signing key sign it: the manual's chapter Policies shows how. Then activate it again.",
  policy_refused: "An admin changes the policies on the Operations page.",
  model_set_aside: "Choose Activate beside another model, or Roll back, on the Models page.",
};
const FOR_PROGRAMS = /`|\b(GET|POST|PUT|PATCH|DELETE) \/|\/api\/|(^|\s)--[a-z]|understudy [a-z]/;

/** What to click instead of a command that the server's warnings, notes and remedies name. */
const CLICKS: readonly (readonly [command: RegExp, click: string])[] = [
  [
    /use it with --labels \S+: `?understudy update \S+ --labels [^\s,`]+`?/g,
    "choose Edit on the model's page and write them there",
  ],
  [
    /: `?understudy update \S+ --labels [^\s,`]+`?(, then: `?understudy activate \d+`?)?/g,
    ": choose Edit on the model's page, and activate the model again",
  ],
  [
    /: `?understudy update \S+ --spec [^\s,`]+?`?(, then: `?understudy activate \d+`?)?(?=[.,\s]|$)/g,
    ": register the file again together with its .spec.json",
  ],
  [/use it: `?understudy update \S+ --examples \S+`?/g, "drop it with its clips below Examples on the model's page"],
  [/: `?understudy update \S+ --examples [^\s.`]+(\.csv)?`?/g, ": drop them below Examples on the model's page"],
  [/: `?understudy spec find FILE --examples examples\.csv`?/g, " (the manual's chapter Find a spec shows how)"],
  [/: `?understudy activate \S+`?(?=[.,\s]|$)/g, ": choose Activate on the model's page"],
  [/: `?understudy compile \S+?`?(?=[.,\s]|$)/g, ": choose Compile again on the model's page"],
  [/: `?understudy examples \S+?`?(?=[.,\s]|$)/g, ": Examples on the model's page"],
  [/ \(docs\/presets\.md\)/g, " (the manual's chapter Presets)"],
];

/** Returns a sentence of the server with what to click on this page in place of commands. */
export const getPageWarning = (sentence: string): string =>
  CLICKS.reduce((before, [command, click]) => before.replace(command, click), sentence);

/** Returns a problem's remedy as clicks on this page, where there are any; else the server's. */
export function getPageRemedy({ code, remedy }: Problem): string {
  return FOR_PROGRAMS.test(remedy) ? (REMEDIES[code] ?? getPageWarning(remedy)) : remedy;
}
