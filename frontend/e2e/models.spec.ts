import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { expect, test, watchForFaults } from "./fixtures";
import { wav } from "./wav";

/** The live model's name. The region's text also names the model that a rollback would bring back. */
const liveName = (page: Page) => page.getByRole("region", { name: "Live now" }).getByRole("link").first();
const row = (page: Page, name: string) => page.getByRole("row").filter({ has: page.getByRole("link", { name }) });

async function makeLive(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: `Activate ${name}` }).click();
  await page.getByRole("button", { name: "Make it live" }).click();
}

/** Drops a file onto the element with `text`, as a file manager would. */
async function drop(page: Page, text: string, name: string, bytes: Buffer<ArrayBuffer>): Promise<void> {
  const transfer = await page.evaluateHandle(
    ({ name, data }) => {
      const transfer = new DataTransfer();
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      transfer.items.add(new File([bytes], name));
      return transfer;
    },
    { name, data: bytes.toString("base64") },
  );
  await page.getByText(text).dispatchEvent("drop", { dataTransfer: transfer });
}

test("an empty server says so, and its first model is registered from the folder", async ({ page, server }) => {
  server.copyModel("ten.onnx");
  await page.goto(server.url);
  await expect(page.getByText("No model is live")).toBeVisible();
  await expect(page.getByText("No models yet")).toBeVisible();

  await page.getByRole("button", { name: "Register a model" }).first().click();
  await page.getByRole("button", { name: "models/ten.onnx" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByLabel("Name")).toHaveValue("ten");
  await dialog.getByLabel("Version").fill("v1");
  await dialog.getByLabel("Accuracy").fill("1.5");
  await dialog.getByRole("button", { name: "Register", exact: true }).click();
  await expect(dialog.getByText("Give a number between 0 and 1")).toBeVisible();
  await dialog.getByLabel("Accuracy").fill("0.91");
  await dialog.getByRole("button", { name: "Register", exact: true }).click();

  await expect(row(page, "ten")).toContainText("91.0%");
  await expect(row(page, "ten")).toContainText("Ready");
  await makeLive(page, "ten");
  await expect(page.getByRole("heading", { name: "ten is live" })).toBeVisible();
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).last().click();
  await expect(liveName(page)).toContainText("ten");
});

test("a dropped file uploads with progress and is registered under labels given by hand", async ({ page, server }) => {
  await page.goto(server.url);
  await expect(page.getByText("No models yet")).toBeVisible();
  await page.getByRole("button", { name: "Register a model" }).first().click();
  await drop(page, "Drop a model file here", "from my desk.onnx", server.readModel("six.onnx"));
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("models/from my desk.onnx")).toBeVisible();
  expect(existsSync(join(server.models, "from my desk.onnx"))).toBe(true);

  await dialog.getByLabel("Labels").fill("dog\nrain\ncrying baby\nsiren\nglass\nspeech");
  await dialog.getByRole("button", { name: "Register", exact: true }).click();
  await expect(row(page, "from my desk")).toContainText("Ready");
  await page.getByRole("link", { name: "from my desk" }).click();
  await expect(page.getByText("crying baby", { exact: true })).toBeVisible();
});

test("a model's page draws the way from the recording to the label", async ({ page, server }) => {
  const { model_id } = await server.register("mfcc");
  await page.goto(`${server.url}/models/${model_id}`);
  const steps = page.getByRole("list", { name: "Steps from the recording to the label" });
  await expect(steps.getByRole("heading")).toHaveText([
    "Recording",
    "Sound",
    "The whole clip at once",
    "MFCC",
    "Pooling over time",
    "The model",
    "Scores",
    "Verdict",
  ]);
  const step = (title: string) =>
    steps.getByRole("listitem").filter({ has: page.getByRole("heading", { name: title }) });
  await expect(step("Sound")).toContainText("sample_rate 16,000 Hz instead of 22,050 Hz");
  await expect(step("The whole clip at once")).toContainText("live stream no, because of window_seconds");
  await expect(step("MFCC")).toContainText("n_mfcc 40");
  await expect(step("The model")).toContainText("[?, 40] float32");
  await expect(step("Verdict")).toContainText("Not said: the labels' names");
});

test("a cancelled upload leaves nothing behind", async ({ page, server }) => {
  await page.goto(server.url);
  const slow = await page.context().newCDPSession(page);
  await slow.send("Network.enable");
  const speed = { offline: false, latency: 0, downloadThroughput: -1 };
  await slow.send("Network.emulateNetworkConditions", { ...speed, uploadThroughput: 300_000 });
  await page.getByRole("button", { name: "Register a model" }).first().click();
  await drop(page, "Drop a model file here", "large.onnx", Buffer.alloc(6_000_000));

  const progress = page.getByRole("progressbar", { name: "Uploading large.onnx" });
  await expect.poll(() => progress.evaluate((bar: HTMLProgressElement) => bar.value)).toBeGreaterThan(0);
  await page.getByRole("button", { name: "Cancel the upload" }).click();
  await expect(page.getByText("Drop a model file here")).toBeVisible();
  await expect.poll(() => readdirSync(server.models)).toEqual([]);
});

test("requests go on without a fault while the live model is switched", async ({ page, server }) => {
  await server.setUpModels();
  await page.goto(server.url);
  await expect(liveName(page)).toContainText("ten");

  const clip = new Blob([wav(2)]);
  const answers: string[] = [];
  let asking = true;
  const ask = async () => {
    while (asking) {
      const body = new FormData();
      body.append("audio_file", clip, "clip.wav");
      const answer = await fetch(`${server.url}/api/v1/predict`, { method: "POST", body });
      const prediction = (await answer.json()) as { model?: { model_name: string } };
      answers.push(answer.ok ? (prediction.model?.model_name ?? "nobody") : `${answer.status}`);
    }
  };
  const askers = Promise.all([ask(), ask()]);
  for (const next of ["six", "ten"]) {
    const before = answers.length;
    await expect.poll(() => answers.length).toBeGreaterThan(before + 5);
    await makeLive(page, next);
    await expect(page.getByRole("heading", { name: `${next} is live` })).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(liveName(page)).toContainText(next);
    const after = answers.length;
    await expect.poll(() => answers.slice(after + 2)).toContain(next);
  }
  asking = false;
  await askers;
  expect(new Set(answers)).toEqual(new Set(["ten", "six"]));
});

test("a model that cannot be served says why, and the old one stays", async ({ page, server }) => {
  await server.setUpModels();
  await server.register("broken");
  await page.goto(server.url);
  await makeLive(page, "broken");
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("heading", { name: "broken did not go live" })).toBeVisible();
  await expect(dialog.getByRole("alert")).toContainText("Git-LFS pointer");
  await expect(dialog.getByRole("alert")).toContainText("git lfs pull");
  await expect(dialog).toContainText("ten is still live");
  await page.keyboard.press("Escape");
  await expect(liveName(page)).toContainText("ten");
  await expect(row(page, "broken")).toContainText("Refused");
});

test("roll back puts the previous model on, and delete leaves the file", async ({ page, server }) => {
  await server.setUpModels();
  await page.goto(server.url);
  await expect(liveName(page)).toContainText("ten");
  await page.getByRole("button", { name: "Roll back to six" }).click();
  await expect(liveName(page)).toContainText("six");

  await page.getByRole("button", { name: "More actions for ten" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect(page.getByRole("dialog")).toContainText("models/ten.onnx stays where it is");
  await page.getByRole("button", { name: "Delete the model" }).click();
  await expect(row(page, "ten")).toHaveCount(0);
  expect(existsSync(join(server.models, "ten.onnx"))).toBe(true);
});

test("two browsers follow each other and what happens outside of both", async ({ page, browser, server }) => {
  const { six } = await server.setUpModels();
  const other = await browser.newContext();
  const faults = await watchForFaults(other, server.url);
  const second = await other.newPage();
  await page.goto(server.url);
  await second.goto(server.url);
  await expect(liveName(second)).toContainText("ten");

  await makeLive(page, "six");
  await expect(liveName(second)).toContainText("six");
  await page.keyboard.press("Escape");
  await second.getByRole("button", { name: "Roll back to ten" }).click();
  await expect(liveName(page)).toContainText("ten");
  await server.activate(six);
  await expect(liveName(page)).toContainText("six");
  await expect(liveName(second)).toContainText("six");
  expect(faults).toEqual([]);
  await other.close();
});

test("an outage shows, and the page recovers by itself", async ({ page, server }) => {
  const { six } = await server.setUpModels();
  await page.goto(server.url);
  await expect(liveName(page)).toContainText("ten");
  await expect(page.getByText("Connected")).toBeVisible();
  await server.stop();
  await expect(page.getByText("Offline")).toBeVisible();
  await expect(liveName(page)).toContainText("ten");
  await page.getByRole("button", { name: "Activate six" }).click();
  await page.getByRole("button", { name: "Make it live" }).click();
  await expect(page.getByRole("alert")).toContainText("The server does not answer");
  await page.keyboard.press("Escape");
  await server.start();
  await server.activate(six);
  await expect(page.getByText("Connected")).toBeVisible();
  await expect(liveName(page)).toContainText("six");
});
