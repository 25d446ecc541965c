import { expect, test } from "vitest";
import { aModel, anEntry } from "../test/fixtures";
import { linesFor } from "./commands";
import { timeline } from "./timeline";

const at = (hour: number) => `2026-11-01T${String(hour).padStart(2, "0")}:00:00Z`;

test("an activation and the replacement that ended it become one stretch", () => {
  const items = timeline([
    anEntry({ event: "activated", at: at(15) }),
    anEntry({ event: "deactivated", at: at(12) }),
    anEntry({ event: "updated", at: at(11) }),
    anEntry({ event: "activated", at: at(10) }),
    anEntry({ event: "registered", at: at(9) }),
  ]);
  expect(items.map((item) => item.live ?? item.entry.event)).toEqual([
    { from: at(15), to: undefined },
    "updated",
    { from: at(10), to: at(12) },
    "registered",
  ]);
});

test("the commands shown are about the model on screen and the server it came from", () => {
  const lines = linesFor(aModel({ model_id: 7 }), "http://127.0.0.1:8000");
  expect(lines.map((line) => line.curl)).toContain("curl -X POST http://127.0.0.1:8000/api/v1/models/7/activate");
  expect(lines.every((line) => line.cli.startsWith("understudy "))).toBe(true);
});
