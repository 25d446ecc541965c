import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures";

const crossings = (page: Page) => page.getByRole("region", { name: "Threshold crossings" }).getByRole("row");

/** Lists in the page what its alarms did: tones that started and notifications. */
const recordAlarms = (page: Page) =>
  page.addInitScript(() => {
    const alarms: string[] = [];
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...when) {
      alarms.push("tone");
      return start.apply(this, when);
    };
    class Recorded {
      static readonly permission = "granted";
      static readonly requestPermission = async () => "granted";
      constructor(title: string) {
        alarms.push(title);
      }
    }
    Object.assign(window, { alarms, Notification: Recorded });
  });

const takeAlarms = (page: Page) => page.evaluate(() => (window as unknown as { alarms: string[] }).alarms.splice(0));

test("a pinned label rings and notifies, is acknowledged, and its threshold is saved to the model", async ({
  page,
  server,
}) => {
  const { ten } = await server.setUpModels();
  await recordAlarms(page);
  await page.goto(`${server.url}/live`);
  await page.getByRole("button", { name: "Start listening" }).click();
  await expect(page.getByText("Listening. Answered by ten")).toBeVisible();

  // The fake devices of Chromium have names once the page may use one.
  const device = page.getByLabel("Microphone", { exact: true });
  await device.selectOption({ index: 1 });
  await expect(device).not.toHaveValue("");
  await expect(page.getByText("Listening. Answered by ten")).toBeVisible();

  await page.getByRole("checkbox", { name: "Sound" }).check();
  await page.getByRole("checkbox", { name: "Browser notification" }).check();
  // Switching the sound on plays it once.
  expect(await takeAlarms(page)).toContain("tone");

  const pin = page.getByRole("button", { name: "Pin rooster" });
  await pin.click();
  await expect(pin).toHaveAttribute("aria-pressed", "true");
  await takeAlarms(page);
  const press = async (label: string, key: string) => {
    await page.getByRole("slider", { name: `Threshold of ${label}` }).focus();
    await page.keyboard.press(key);
  };
  // A label that is not pinned is listed, and rings nobody.
  await press("dog", "Home");
  await expect(crossings(page).filter({ hasText: "dog" })).not.toHaveCount(0);
  await press("rooster", "Home");
  await expect(crossings(page).filter({ hasText: "rooster" })).not.toHaveCount(0);
  const alarms = await takeAlarms(page);
  expect(alarms).toContain("tone");
  expect(alarms).toContain("rooster reached its threshold");
  expect(alarms).not.toContain("dog reached its threshold");

  const unseen = page.getByRole("banner").getByText(/\d+ unseen/);
  await expect(unseen).toBeVisible();
  await page
    .getByRole("button", { name: /^Acknowledge rooster at/ })
    .first()
    .click();
  await page.getByRole("button", { name: "Acknowledge all" }).click();
  await expect(page.getByRole("button", { name: "Acknowledge all" })).toHaveCount(0);
  await expect(unseen).toHaveCount(0);

  await press("dog", "End");
  await press("rooster", "PageUp");
  await page.getByRole("button", { name: "Save to the model" }).click();
  await expect(page.getByText(/Saved to ten\./)).toBeVisible();
  const model = await (await fetch(`${server.url}/api/v1/models/${ten.model_id}`)).json();
  expect(model.given_spec.thresholds.dog).toBe(1);
  expect(model.spec_pending).toBe(true);
  await page.getByRole("link", { name: "Open the model" }).click();
  await expect(page.getByRole("button", { name: "Activate again" })).toBeVisible();
});
