import { expect, test } from "vitest";
import { makeHistoryEntry } from "../test/fixtures";
import { serveApi } from "../test/server";
import { findSwitches, listSwitches } from "./switches";

const at = (minute: number) => `2026-11-01T10:${String(minute).padStart(2, "0")}:00Z`;
const entries = [
  makeHistoryEntry({ history_id: 6, event: "deactivated", generation: 4, at: at(40) }),
  makeHistoryEntry({ history_id: 5, event: "rolled_back", model_name: "Second", generation: 3, at: at(30) }),
  makeHistoryEntry({ history_id: 4, event: "deactivated", generation: 3, at: at(30) }),
  makeHistoryEntry({ history_id: 3, event: "refused", at: at(20) }),
  makeHistoryEntry({ history_id: 2, event: "activated", model_name: "First", generation: 2, at: at(10) }),
];

test("a switch is one line, and a model that left without a successor is a switch to nothing", () => {
  expect(listSwitches(entries).map(({ name }) => name)).toEqual([null, "Second", "First"]);
});

test("the history is read page by page back to the time, and no further", async () => {
  const { find } = serveApi({
    "GET /api/v1/history": (request: Request) => {
      const cursor = Number(new URL(request.url).searchParams.get("cursor") ?? 0);
      return { body: { entries: entries.slice(cursor, cursor + 2), next_cursor: String(cursor + 2) } };
    },
  });
  const found = await findSwitches(Date.parse(at(25)), new AbortController().signal);
  expect(found.map(({ name }) => name)).toEqual([null, "Second"]);
  expect(find("GET /api/v1/history")).toHaveLength(2);
});
