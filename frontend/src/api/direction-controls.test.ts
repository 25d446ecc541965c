import { expect, test } from "vitest";
import { stripDirectionControls } from "./direction-controls";

const answer = (body: string, type = "application/json", status = 200) =>
  new Response(body, { status, headers: { "Content-Type": type } });

test.each([
  ["as it is", '{"model_name":"\u202Eevil\u202C"}'],
  ["escaped", '{"model_name":"\\u202eevil\\u202C"}'],
])("a name that reads backwards is drawn as it is written, %s", async (_, body) => {
  const stripped = await stripDirectionControls(answer(body, "application/problem+json", 404));
  expect(await stripped.json()).toEqual({ model_name: "evil" });
  expect(stripped.status).toBe(404);
});

test("names in scripts that run from right to left stay as they are", async () => {
  const stripped = await stripDirectionControls(answer('{"model_name":"\u05E9\u05DC\u05D5\u05DD 2"}'));
  expect(await stripped.json()).toEqual({ model_name: "\u05E9\u05DC\u05D5\u05DD 2" });
});

test("an answer without a body stays without one", async () => {
  const empty = new Response(null, { status: 204, headers: { "Content-Type": "application/json" } });
  expect(await stripDirectionControls(empty)).toBe(empty);
});
