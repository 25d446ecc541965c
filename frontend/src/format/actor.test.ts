import { expect, test } from "vitest";
import { makeHistoryEntry } from "../test/fixtures";
import { formatActor } from "./actor";

test("a change names its principal and the way by which it came", () => {
  const principal = { principal_id: 7, name: "anna", kind: "person" };
  expect(formatActor(makeHistoryEntry({ actor: "page", principal }))).toBe("anna (the page)");
  expect(formatActor(makeHistoryEntry({ actor: "sql" }))).toBe("SQL in the database");
  expect(formatActor(makeHistoryEntry({ actor: "unheard of" }))).toBe("unheard of");
  expect(formatActor(makeHistoryEntry({ actor: null }))).toBeNull();
});
