import { expect, test } from "vitest";
import { makeHistoryEntry } from "../test/fixtures";
import { serveApi } from "../test/server";
import { findLiveModelAt, findLivePeriod } from "./live-model-at";

const at = (hour: number) => `2026-11-01T${String(hour).padStart(2, "0")}:00:00Z`;
const moment = (hour: number) => Date.parse(at(hour));
const entries = [
  makeHistoryEntry({ history_id: 5, event: "activated", model_id: 2, generation: 2, at: at(14) }),
  makeHistoryEntry({ history_id: 4, event: "deactivated", model_id: 1, generation: 2, at: at(14) }),
  makeHistoryEntry({ history_id: 3, event: "refused", model_id: 3, at: at(12) }),
  makeHistoryEntry({ history_id: 2, event: "activated", model_id: 1, generation: 1, at: at(10) }),
];

test("the stay that covers a moment is found, with its end", () => {
  expect(findLivePeriod(entries, moment(13))).toEqual({ entry: entries[3], until: at(14) });
  expect(findLivePeriod(entries, moment(20))).toEqual({ entry: entries[0], until: undefined });
});

test("before the first activation nothing is known to have been live", () => {
  expect(findLivePeriod(entries, moment(9))).toBeUndefined();
});

test("a switch that was recorded with both halves at one moment counts from its activation", () => {
  const reversed = [entries[1], entries[0], entries[3]].filter((entry) => entry !== undefined);
  expect(findLivePeriod(reversed, moment(15))?.entry.model_id).toBe(2);
});

test("after the only model was deactivated without a successor nothing was live", () => {
  const emptied = [makeHistoryEntry({ event: "deactivated", generation: 3, at: at(12) }), ...entries.slice(3)];
  expect(findLivePeriod(emptied, moment(13))).toBeNull();
});

test("a moment on a later page is found there, and its end on the page before", async () => {
  serveApi({
    "GET /api/v1/history": (request: Request) => {
      const later = new URL(request.url).searchParams.has("cursor");
      return {
        body: later
          ? { entries: entries.slice(3), next_cursor: null }
          : { entries: entries.slice(0, 2), next_cursor: "x" },
      };
    },
  });
  const stay = await findLiveModelAt(moment(11), new AbortController().signal);
  expect(stay).toMatchObject({ entry: { model_id: 1 }, until: at(14) });
});
