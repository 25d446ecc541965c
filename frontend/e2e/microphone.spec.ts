import { expect, test } from "./fixtures";

test("the microphone is scored as it comes, through a switch and through an outage", async ({ page, server }) => {
  const { six } = await server.setUpModels();
  await page.goto(`${server.url}/live`);
  await page.getByRole("button", { name: "Start listening" }).click();
  await expect(page.getByText("Listening. Answered by ten")).toBeVisible();
  await expect(page.getByText("gain control, noise suppression and echo cancellation are off")).toBeVisible();

  const rooster = page.getByRole("slider", { name: "Threshold of rooster" });
  await rooster.focus();
  await page.keyboard.press("Home");
  await expect(rooster).toHaveAttribute("aria-valuetext", "counts from 0.0%");
  for (const label of ["dog", "rain", "sea waves", "crackling fire"]) {
    await page.getByRole("slider", { name: `Threshold of ${label}` }).focus();
    await page.keyboard.press("Home");
    for (let percent = 0; percent < 5; percent++) await page.keyboard.press("ArrowRight");
  }
  const crossings = page.getByRole("region", { name: "Threshold crossings" }).getByRole("row");
  await expect(crossings.nth(1)).toContainText("ten");

  await server.activate(six);
  await expect(page.getByText("Listening. Answered by six")).toBeVisible();
  await expect(page.getByRole("region", { name: "Model changes" })).toContainText(/six from 0:\d\d/);
  await expect(page.getByRole("slider", { name: "Threshold of siren" })).toBeVisible();
  await expect(page.getByRole("slider", { name: "Threshold of rooster" })).toHaveCount(0);

  await server.stop();
  await expect(page.getByText("Connection lost. Connecting again")).toBeVisible();
  await server.start();
  await expect(page.getByText("Listening. Answered by six")).toBeVisible();
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.getByText("Not listening")).toBeVisible();
});
