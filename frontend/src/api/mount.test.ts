import { afterEach, beforeEach, expect, test, vi } from "vitest";

beforeEach(() => vi.resetModules());
afterEach(() => document.head.replaceChildren());

test.each([
  ["/listen/", "/listen"],
  ["/team/listen/", "/team/listen"],
  ["/", ""],
  ["./", ""],
])("an application that the server says is mounted at %s is addressed under %j", async (content, path) => {
  const meta = document.createElement("meta");
  meta.name = "understudy-mount";
  meta.content = content;
  document.head.append(meta);
  const { mount, serverAddress } = await import("./mount");
  expect(mount).toBe(path);
  expect(serverAddress).toBe(`${location.origin}${path}`);
});

test("a page without the server's mark is addressed at the root", async () => {
  expect((await import("./mount")).mount).toBe("");
});
