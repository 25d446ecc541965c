import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures";

const crossings = (page: Page) => page.getByRole("region", { name: "Threshold crossings" }).getByRole("row");

/** Starts listening with thresholds so low that the labels cross them. */
async function listen(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/live`);
  await page.getByRole("button", { name: "Start listening" }).click();
  await expect(page.getByText("Listening. Answered by ten")).toBeVisible();
  const rooster = page.getByRole("slider", { name: "Threshold of rooster" });
  await rooster.focus();
  await page.keyboard.press("Home");
  await expect(rooster).toHaveAttribute("aria-valuetext", "counts from 0.0%");
}

test("the microphone is scored as it comes, through a switch and through an outage", async ({ page, server }) => {
  const { six } = await server.setUpModels();
  await listen(page, server.url);
  await expect(page.getByText("gain control, noise suppression and echo cancellation are off")).toBeVisible();
  await expect(crossings(page).filter({ hasText: "rooster" })).toHaveCount(1);
  await expect(page.getByLabel("Input level")).not.toHaveText("silent");

  await server.activate(six);
  await expect(page.getByText("Listening. Answered by six")).toBeVisible();
  await expect(page.getByRole("region", { name: "Model changes" })).toContainText(/six from \d\d:\d\d:\d\d/);
  await expect(page.getByRole("slider", { name: "Threshold of siren" })).toBeVisible();
  await expect(page.getByRole("slider", { name: "Threshold of rooster" })).toHaveCount(0);
  const siren = page.getByRole("slider", { name: "Threshold of siren" });
  await siren.focus();
  await page.keyboard.press("Home");
  await expect(crossings(page).filter({ hasText: "siren" })).toHaveCount(1);

  await server.stop();
  await expect(page.getByRole("region", { name: "Not hearing" })).toContainText("No answer for 3 s");
  await expect(page.getByText("No current score")).toBeVisible();
  await server.start();
  await expect(page.getByText("Listening. Answered by six")).toBeVisible();
  const notHeard = crossings(page).filter({ hasText: /Not heard \d\d:\d\d:\d\d to \d\d:\d\d:\d\d/ });
  await expect(notHeard).toHaveCount(1);
  // The label was above its threshold before the outage and is after it: two crossings.
  await expect(crossings(page).filter({ hasText: "siren" })).toHaveCount(2);

  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save as CSV" }).click(),
  ]);
  expect(readFileSync(await download.path(), "utf8")).toMatch(/^not heard,/m);

  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.getByText("Not listening", { exact: true })).toBeVisible();
  await expect(page.getByRole("img", { name: "Window scores of the last 30 seconds" })).toBeVisible();
});

test("a server that stands still is noticed, and what it did not hear is marked", async ({ page, server }) => {
  await server.setUpModels();
  await listen(page, server.url);
  await expect(crossings(page).filter({ hasText: "rooster" })).toHaveCount(1);
  server.pause();
  const notice = page.getByRole("region", { name: "Not hearing" });
  await expect(notice).toContainText("No answer for 3 s", { timeout: 5000 });
  await expect(page.getByText("No current score")).toBeVisible();
  await expect(page.getByRole("banner").getByText(/No answer for/)).toBeVisible();
  await expect(page.getByRole("banner").getByText("Offline")).toBeVisible();
  await expect(notice).toContainText("No answer for 9 s", { timeout: 15_000 });
  server.resume();
  await expect(page.getByText("Listening. Answered by ten")).toBeVisible();
  await expect(notice).toHaveCount(0);
  const notHeard = crossings(page).filter({ hasText: "Not heard" });
  await expect(notHeard).toHaveCount(1);
  await expect(crossings(page).filter({ hasText: "rooster" })).toHaveCount(2);
  await page.getByRole("button", { name: "Stop" }).click();

  const exported = JSON.parse(await save(page, "Save as JSON")) as ExportedRow[];
  const csv = (await save(page, "Save as CSV")).split("\r\n");
  expect(csv[0]).toBe("kind,start,end,seconds,label,peak,threshold,model,acknowledged");
  expect(csv.slice(1)).toEqual(exported.map((row) => Object.values(row).join(",")));
  const [gap] = exported.filter(({ kind }) => kind === "not heard");
  expect(gap).toMatchObject({ label: "", peak: "", model: "" });
  expect(gap?.seconds).toBeGreaterThan(8);
  const shown = /Not heard (\S+) to (\S+)/.exec((await notHeard.textContent()) ?? "");
  const toClock = (time: string | undefined) =>
    new Date(time ?? "").toLocaleTimeString("en-GB", { timeZone: "Europe/Berlin" });
  expect([toClock(gap?.start), toClock(gap?.end)]).toEqual(shown?.slice(1).map((time) => time.slice(0, 8)));
  const roosters = exported.filter(({ label }) => label === "rooster");
  expect(roosters).toHaveLength(2);
  expect(roosters[0]).toMatchObject({ kind: "crossing", threshold: 0, model: "ten", acknowledged: false });
  expect(Date.parse(roosters[0]?.end ?? "")).toBeLessThanOrEqual(Date.parse(gap?.start ?? ""));
  expect(Date.parse(roosters[1]?.start ?? "")).toBeGreaterThanOrEqual(Date.parse(gap?.end ?? ""));
});

interface ExportedRow {
  kind: string;
  start: string;
  end: string;
  seconds: number;
  label: string;
}

/** Presses a button that saves a file, and returns what is in the file. */
async function save(page: Page, button: string): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: button }).click(),
  ]);
  return readFileSync(await download.path(), "utf8");
}

test("listening goes on over other pages and a reload", async ({ page, server }) => {
  await server.setUpModels();
  await listen(page, server.url);
  await expect(crossings(page).filter({ hasText: "rooster" })).toHaveCount(1);
  await page.getByRole("link", { name: "Models", exact: true }).click();
  await expect(page.getByRole("banner").getByRole("link", { name: /Listening/ })).toBeVisible();
  await page.reload();
  await page
    .getByRole("banner")
    .getByRole("link", { name: /Listening/ })
    .click();
  await expect(page.getByText("Listening. Answered by ten")).toBeVisible();
  await expect(crossings(page).filter({ hasText: "rooster" })).toHaveCount(2);
  await expect(crossings(page).filter({ hasText: "Not heard" })).toHaveCount(1);
});

test("on a phone ten seconds are shown with the current label in sight", async ({ page, server }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await server.setUpModels();
  await listen(page, server.url);
  await page.evaluate(() => scrollTo(0, 0));
  const strip = page.getByRole("region", { name: "The last 10 seconds" });
  await expect(strip).toBeVisible();
  await expect(page.getByText(/^Now/).locator("..")).toBeInViewport({ ratio: 1 });
  await expect(page.getByText(/^Now/).locator("..")).toContainText("%");
});
