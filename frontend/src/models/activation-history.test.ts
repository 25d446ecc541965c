import { expect, test } from "vitest";
import { makeHistoryEntry } from "../test/fixtures";
import { findLastActivation } from "./activation-history";

test("the live model's entry is its latest activation or rollback", () => {
  const entries = [
    makeHistoryEntry({ history_id: 4, event: "updated" }),
    makeHistoryEntry({ history_id: 3, event: "rolled_back", actor: "cli" }),
    makeHistoryEntry({ history_id: 2, event: "activated" }),
  ];
  expect(findLastActivation(entries, 1)?.actor).toBe("cli");
});
