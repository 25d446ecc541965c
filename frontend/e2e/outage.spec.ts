import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "./fixtures";

/** Returns the file that holds a page's program. */
function findChunk(source: string): string {
  const manifest = join(import.meta.dirname, "../../backend/understudy/page/build.json");
  return JSON.parse(readFileSync(manifest, "utf8"))[source].file;
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
  const chunk = findChunk("src/operations/page.tsx");
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
  const loaded = page.waitForResponse((answer) => answer.url().endsWith(findChunk("src/try/page.tsx")));
  await page.goto(server.url);
  await (await loaded).finished();
  await server.stop();
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Try it" }).click();
  await expect(page.getByRole("heading", { name: "Try it", level: 1 })).toBeVisible();
});
