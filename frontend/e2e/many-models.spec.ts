import { chooseOption, expect, test } from "./fixtures";
import { wav } from "./wav";

const OLDEST = "model 001";
const LONG = `${"Überwachung-der-Nordseite-".repeat(9)}Ende`;

test("of 115 models each can be found, chosen and linked to", async ({ page, server }) => {
  const { ten } = await server.setUpModels();
  for (let number = 1; number <= 113; number += 1) {
    await server.register("six", { model_name: `model ${String(number).padStart(3, "0")}` });
  }
  await page.goto(`${server.url}/try`);
  const field = page.getByRole("combobox", { name: "Model", exact: true });
  await expect(field).toHaveValue("The live model");
  await field.click();
  await expect(page.getByRole("option").nth(1)).toHaveText("model 113");
  await expect(page.getByText("85 more. Type a part of the name.")).toBeVisible();
  await field.fill("001");
  await page.getByRole("option", { name: OLDEST }).click();
  await expect(field).toHaveValue(OLDEST);
  await expect(page).toHaveURL(/\?model=\d+$/);
  await page.reload();
  await expect(field).toHaveValue(OLDEST);

  await page.goto(`${server.url}/try?model=${ten.model_id}`);
  await expect(field).toHaveValue("ten, v1");
  await page.goto(`${server.url}/operations`);
  await chooseOption(page, "Model", "model 113");
  await expect(page.getByRole("row").filter({ hasText: "model 113" }).first()).toContainText("Registered");
  await page.goto(server.url);
  await expect(page.getByRole("combobox", { name: "Type" }).getByRole("option", { name: "esc10" })).toBeAttached();
});

test("long names neither widen a page nor hide a button, at 390 and at 1440 pixels", async ({ page, server }) => {
  await server.setUpModels();
  const long = await server.register("six", { model_name: LONG, version: "v".repeat(50), model_type: "t".repeat(100) });
  await server.activate(long);
  for (const width of [390, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    for (const path of ["/", `/models/${long.model_id}`, `/try?model=${long.model_id}`, "/live", "/operations"]) {
      await page.goto(server.url + path);
      const shown = path.startsWith("/try")
        ? page.getByRole("combobox", { name: "Model", exact: true })
        : page.getByRole("heading").last();
      await expect(shown).toBeVisible();
      const excess = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(excess, `${path} at ${width}`).toBeLessThanOrEqual(0);
    }
    await page.goto(server.url);
    await expect(page.getByRole("button", { name: "Roll back to ten" })).toBeInViewport();
    await expect(page.getByRole("button", { name: "Activate six" })).toBeVisible();
  }
  await page.goto(`${server.url}/models/${long.model_id}`);
  await expect(page).toHaveTitle(/^Überwachung/);
});

test("a folder of clips is compared, and the address brings back clip, models and moment", async ({ page, server }) => {
  const { six } = await server.setUpModels();
  await page.goto(`${server.url}/try?compare=${six.model_id}`);
  const clips = [1, 2, 3].map((seconds) => ({ name: `${seconds}.wav`, mimeType: "audio/wav", buffer: wav(seconds) }));
  await page.locator("input[type=file]").setInputFiles(clips);
  await expect(page.getByText(/They agree on \d of 3 recordings/)).toBeVisible();
  await expect(page.getByRole("table", { name: "Each recording's verdict" }).getByRole("row")).toHaveCount(4);

  const clip = page.getByRole("list").filter({ has: page.getByRole("button", { name: /\d:\d\d$/ }) });
  await clip.getByRole("button").first().click();
  await expect(page.getByRole("button", { name: "Play" })).toBeEnabled();
  await page.getByRole("slider", { name: "Position in the clip" }).fill("1");
  await page.getByRole("button", { name: "Zoom in" }).click();
  await expect(page).toHaveURL(/compare=\d+&clip=[^&]+&t=1&from=[\d.]+&to=[\d.]+$/);
  await page.reload();
  await expect(page.getByText("0:01.0 /")).toBeVisible();
  await expect(page.getByRole("button", { name: "Zoom out" })).toBeEnabled();
});
