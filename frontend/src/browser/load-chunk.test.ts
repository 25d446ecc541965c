import { expect, test, vi } from "vitest";
import { serveApi } from "../test/server";
import { isMissingChunk, loadChunk, reloadForNewVersion } from "./load-chunk";

/** Loads a chunk whose first tries fail. */
async function load(failures: number): Promise<unknown> {
  vi.useFakeTimers();
  let tries = 0;
  const result = loadChunk(async () => {
    tries += 1;
    if (tries <= failures) throw new TypeError("Failed to fetch dynamically imported module");
    return "page";
  }).catch((error: unknown) => error);
  await vi.runAllTimersAsync();
  vi.useRealTimers();
  return result;
}

test("a chunk that arrives at a later try is used, and one that never does is a problem", async () => {
  expect(await load(3)).toBe("page");
  expect(isMissingChunk(await load(99))).toBe(true);
});

test("while the server is down the page is not reloaded", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
  const reload = vi.fn();
  await reloadForNewVersion(reload);
  expect(reload).not.toHaveBeenCalled();
});

test("for a server that answers the page is reloaded once", async () => {
  serveApi({ "GET /health/live": { status: "ok" } });
  const reload = vi.fn();
  await reloadForNewVersion(reload);
  await reloadForNewVersion(reload);
  expect(reload).toHaveBeenCalledOnce();
});
