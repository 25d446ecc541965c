import { expect, test } from "vitest";
import { getNextSort, parseSearchParams } from "./search-params";

test("an address with a sort order that does not exist falls back to the default", () => {
  expect(parseSearchParams({ q: "yam", sort: "password" })).toEqual({ q: "yam" });
  expect(parseSearchParams({ sort: "-accuracy", type: "" })).toEqual({ sort: "-accuracy" });
});

test("a second click on a heading turns the order around", () => {
  expect(getNextSort("name", "-accuracy")).toBe("-accuracy");
  expect(getNextSort("-accuracy", "-accuracy")).toBe("accuracy");
  expect(getNextSort("name", "name")).toBe("-name");
});
