import { readFileSync } from "node:fs";
import type { Download, Page } from "@playwright/test";
import { chooseOption, expect, shareServer } from "./fixtures";
import { wav } from "./wav";

const test = shareServer();

const choose = (page: Page, name: string, buffer: Buffer<ArrayBuffer>) =>
  page.locator("input[type=file]").setInputFiles({ name, mimeType: "audio/wav", buffer });

const contents = async (download: Download) => readFileSync(await download.path(), "utf8");

test("a demo clip is predicted by one model, then by two", async ({ page, server }) => {
  await server.setUpModels();
  await page.goto(`${server.url}/try`);
  const clips = page.getByRole("list").filter({ has: page.getByRole("button", { name: /\d:\d\d$/ }) });
  await clips.getByRole("button").first().click();
  await expect(page.getByRole("button", { name: "Play" })).toBeEnabled();
  await expect(page.getByText("Answered by ten")).toBeVisible();
  await expect(page.getByRole("img", { name: "Window scores of ten" })).toBeVisible();

  await chooseOption(page, "Compare with", "six, v2");
  await expect(page.getByText("Answered by six")).toBeVisible();
  await expect(
    page.getByText(/They differ in \d+ of \d+ windows|Both models name the same label in all/),
  ).toBeVisible();
});

test("the cursor follows the sound, and the answer is saved as JSON and CSV", async ({ page, server }) => {
  await server.setUpModels();
  await page.goto(`${server.url}/try`);
  await choose(page, "pitches.wav", wav(4));
  await expect(page.getByText("Answered by ten")).toBeVisible();
  const position = page.getByRole("slider", { name: "Position in the clip" });
  await page.getByRole("button", { name: "Play" }).click();
  await expect.poll(async () => Number(await position.inputValue())).toBeGreaterThan(0.5);
  await page.getByRole("button", { name: "Pause" }).click();
  await position.fill("2");
  await expect(page.getByText("0:02.0 / 0:04.0")).toBeVisible();

  const saved = async (name: string) => {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: `Save as ${name}` }).click(),
    ]);
    return contents(download);
  };
  const [prediction] = JSON.parse(await saved("JSON"));
  expect(prediction.model.model_name).toBe("ten");
  const rows = (await saved("CSV")).trim().split("\n");
  expect(rows).toHaveLength(1 + prediction.windows.length);
  expect(rows[0]).toContain("crying baby");
});

test("what is not a recording is refused with a reason, silence with a warning", async ({ page, server }) => {
  await server.setUpModels();
  await page.goto(`${server.url}/try`);
  await choose(page, "notes.wav", Buffer.from("these are words"));
  await expect(page.getByRole("alert")).toContainText(/not.*(audio|recording)/i);
  await choose(page, "silence.wav", Buffer.concat([wav(2).subarray(0, 44), Buffer.alloc(64_000)]));
  await expect(page.getByText("The clip is silent")).toBeVisible();
  const verdict = page.getByRole("status", { name: "The verdict of ten" });
  await expect(verdict).toHaveText(/^The recording is silent/);
});

test("the microphone is recorded unchanged and predicted", async ({ page, server }) => {
  await server.setUpModels();
  await page.goto(`${server.url}/try`);
  await page.getByRole("button", { name: "Record", exact: true }).click();
  await expect(page.getByRole("button", { name: /Stop, 0:0[2-9]/ })).toBeVisible();
  await page.getByRole("button", { name: /Stop/ }).click();
  await expect(page.getByText("Answered by ten")).toBeVisible();
  await expect(page.getByRole("heading", { name: /^recording .*\.wav$/ })).toBeVisible();
});
