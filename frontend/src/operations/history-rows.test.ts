import { expect, test } from "vitest";
import { makeHistoryEntry } from "../test/fixtures";
import { buildHistoryRows, getEvents } from "./history-rows";

const registered = makeHistoryEntry({ history_id: 1 });
const first = makeHistoryEntry({ history_id: 2, event: "activated", generation: 1 });
const ended = makeHistoryEntry({ history_id: 3, event: "deactivated", generation: 2 });
const second = makeHistoryEntry({ history_id: 4, event: "activated", generation: 2, model_name: "Head" });

test("a switch is one row, with the model that it replaced", () => {
  const rows = buildHistoryRows([second, ended, first, registered], "changes");
  expect(rows.map(({ entry, replaced }) => [entry.history_id, replaced?.history_id])).toEqual([
    [4, 3],
    [2, undefined],
    [1, undefined],
  ]);
});

test("a switch whose other half is on the next page stands alone until it is fetched", () => {
  expect(buildHistoryRows([second], "changes")).toEqual([{ entry: second, replaced: undefined }]);
});

test("a model that nothing replaced has a row of its own", () => {
  expect(buildHistoryRows([ended, first], "switches").map(({ entry }) => entry.event)).toEqual([
    "deactivated",
    "activated",
  ]);
});

test("compilations are asked for only where everything is", () => {
  expect(getEvents("changes")).not.toContain("compiled");
  expect(getEvents("everything")).toBeUndefined();
  expect(getEvents("compiled")).toEqual(["compiled"]);
});
