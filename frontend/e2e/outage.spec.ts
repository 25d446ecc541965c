import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "./fixtures";

interface Chunk {
  file: string;
  imports?: string[];
}

/** Returns the files that hold a page's program; the page's own is the first. */
function findChunks(source: string): string[] {
  const path = join(import.meta.dirname, "../../backend/understudy/page/build.json");
  const manifest: Record<string, Chunk> = JSON.parse(readFileSync(path, "utf8"));
  const names = new Set([source]);
  for (const name of names) for (const imported of manifest[name]?.imports ?? []) names.add(imported);
  return [...names].flatMap((name) => manifest[name]?.file ?? []);
}

test.use({ viewport: { width: 1440, height: 900 } });

test("while the events are blocked the page asks every five seconds, and offline it shows the last known state", async ({
  page,
  server,
}) => {
  const { six } = await server.setUpModels();
  await page.route("**/api/v1/events*", () => undefined); // never answered, as by a proxy that buffers
  await page.goto(server.url);
  const live = page.getByRole("region", { name: "Live now" });
  const name = live.getByRole("link").first(); // the region also names the model that a rollback would bring back
  await expect(name).toContainText("ten");
  const banner = page.getByRole("banner");
  await expect(banner).toContainText("Updated every 5 s", { timeout: 8000 });
  await server.activate(six);
  await expect(name).toContainText("six", { timeout: 6000 });
  await server.stop();
  await expect(banner).toContainText(/Offline. Last known at \d\d:\d\d:\d\d/, { timeout: 11_000 });
  await expect(live).toContainText(/Last known at \d\d:\d\d:\d\d/);
  await expect(name).toContainText("six");
});

test("a page that cannot be loaded leaves the others, and comes when it is there again", async ({ page, server }) => {
  const [chunk] = findChunks("src/operations/page.tsx");
  let gone = true;
  await page.route(`**/${chunk}`, (route) => (gone ? route.fulfill({ status: 404 }) : route.continue()));
  await server.setUpModels();
  await page.goto(server.url);
  const operations = page.getByRole("link", { name: "Operations" });
  // The first failure reloads the page once, because a new version may have been deployed.
  const reloaded = page.waitForEvent("load");
  await operations.click();
  await reloaded;
  await expect(page.getByRole("alert")).toContainText("This page could not be loaded");
  await expect(page.getByRole("navigation", { name: "Pages" })).toBeVisible();
  gone = false;
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("heading", { name: "Operations", level: 1 })).toBeVisible();
});

test("pages that were not visited yet open while the server is down", async ({ page, server }) => {
  await server.setUpModels();
  const needed = findChunks("src/try/page.tsx");
  await page.goto(server.url);
  const listMissing = async () => {
    const loaded = await page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name));
    return needed.filter((file) => !loaded.some((name) => name.endsWith(file)));
  };
  await expect.poll(listMissing).toEqual([]);
  await server.stop();
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Try it" }).click();
  await expect(page.getByRole("heading", { name: "Try it", level: 1 })).toBeVisible();
});
