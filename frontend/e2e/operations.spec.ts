import { expect, shareServer } from "./fixtures";
import { wav } from "./wav";

const test = shareServer();

test("the server accepts each time range that the page offers", async ({ page, server }) => {
  await server.setUpModels();
  await page.goto(`${server.url}/operations`);
  const range = page.getByLabel("Time shown");
  await expect(range).toBeVisible();
  const minutes = await range
    .locator("option")
    .evaluateAll((all) => all.map((one) => (one as HTMLOptionElement).value));
  expect(minutes.length).toBeGreaterThan(1);
  for (const value of minutes) {
    const answered = page.waitForResponse((answer) =>
      answer.url().endsWith(`/api/v1/metrics/summary?minutes=${value}`),
    );
    await range.selectOption(value);
    expect((await answered).status()).toBe(200);
  }
  await expect(page.getByRole("alert")).toHaveCount(0);
});

test("predictions and refused requests appear in the charts", async ({ page, server }) => {
  await server.setUpModels();
  const predict = (content: Buffer<ArrayBuffer>) => {
    const body = new FormData();
    body.append("audio_file", new Blob([content]), "clip.wav");
    return fetch(`${server.url}/api/v1/predict`, { method: "POST", body });
  };
  expect((await predict(wav(1))).status).toBe(200);
  expect((await predict(Buffer.from("these are words"))).ok).toBe(false);
  await page.goto(`${server.url}/operations`);
  await expect(page.getByRole("heading", { name: "Requests a second" })).toBeVisible();
  await expect(page.getByRole("region", { name: "Errors by code" }).getByRole("listitem")).toHaveCount(1);
});

test("the model that was live at a given time is named", async ({ page, server }) => {
  await server.setUpModels();
  await page.goto(`${server.url}/operations`);
  await page.getByLabel("Time, in your time zone").fill("2100-01-01T12:00:00");
  await expect(page.getByText("This time has not come yet.")).toBeVisible();
  // The present in Berlin, the browser's time zone, as the field takes it.
  const now = new Date().toLocaleString("sv-SE", { timeZone: "Europe/Berlin" }).replace(" ", "T");
  await page.getByLabel("Time, in your time zone").fill(now);
  await expect(page.getByText("ten was live.")).toBeVisible();
  await page.getByLabel("Time, in your time zone").fill("2000-01-01T12:00:00");
  await expect(page.getByText("The history begins later, or no model was ever live.")).toBeVisible();
});
