import { expect, test } from "vitest";
import { makeHistoryEntry, makeModel } from "../test/fixtures";
import { buildCommands } from "./commands";
import { buildTimeline } from "./timeline";

const at = (hour: number) => `2026-11-01T${String(hour).padStart(2, "0")}:00:00Z`;

test("an activation and the replacement that ended it become one stretch", () => {
  const items = buildTimeline([
    makeHistoryEntry({ event: "activated", at: at(15) }),
    makeHistoryEntry({ event: "deactivated", at: at(12) }),
    makeHistoryEntry({ event: "updated", at: at(11) }),
    makeHistoryEntry({ event: "activated", at: at(10) }),
    makeHistoryEntry({ event: "registered", at: at(9) }),
  ]);
  expect(items.map((item) => item.live ?? item.entry.event)).toEqual([
    { from: at(15), to: undefined },
    "updated",
    { from: at(10), to: at(12) },
    "registered",
  ]);
});

test("the commands shown are about the model on screen and the server it came from", () => {
  const lines = buildCommands(makeModel({ model_id: 7 }), "http://127.0.0.1:8000");
  expect(lines.map((line) => line.curl)).toContain("curl -X POST http://127.0.0.1:8000/api/v1/models/7/activate");
  expect(lines.every((line) => line.cli.startsWith("understudy "))).toBe(true);
});
