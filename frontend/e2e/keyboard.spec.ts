import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures";

const MOST_STEPS = 60;

/** Presses Tab until the element with this role and name has the focus. */
async function tabTo(page: Page, role: string, name: string | RegExp, key = "Tab"): Promise<void> {
  const wanted = page.getByRole(role as "button", typeof name === "string" ? { name, exact: true } : { name });
  await expect(wanted.first()).toBeVisible();
  for (let step = 0; step < MOST_STEPS; step++) {
    await page.keyboard.press(key);
    const focused = await wanted.evaluateAll((all) => all.some((one) => one === document.activeElement));
    if (focused) return;
  }
  throw new Error(`No way to ${name} with ${key}`);
}

test("everything on the models page is done by keyboard", async ({ page, server }) => {
  await server.setUpModels();
  server.copyModel("broken.onnx");
  await page.goto(server.url);
  // The region's text also names the model that a rollback would bring back.
  const live = page.getByRole("region", { name: "Live now" }).getByRole("link").first();
  await expect(live).toContainText("ten");

  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await tabTo(page, "button", "Activate six");
  await page.keyboard.press("Enter");
  await tabTo(page, "button", "Make it live");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "six is live" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(live).toContainText("six");

  await tabTo(page, "button", /^Roll back to ten/, "Shift+Tab");
  await page.keyboard.press("Enter");
  await expect(live).toContainText("ten");

  await tabTo(page, "button", "Register a model");
  await page.keyboard.press("Enter");
  await tabTo(page, "button", /^models\/broken.onnx/);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("textbox", { name: "Name" })).toBeFocused();
  await page.keyboard.type("pointer");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("link", { name: "pointer" })).toBeVisible();

  await tabTo(page, "searchbox", "Search");
  await page.keyboard.type("point");
  await expect(page.getByRole("link", { name: "six" })).toHaveCount(0);
  await tabTo(page, "button", "More actions for pointer");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("menuitem", { name: "Edit" })).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("menuitem", { name: "Delete" })).toBeFocused();
  await page.keyboard.press("Enter");
  await tabTo(page, "button", "Delete the model");
  await page.keyboard.press("Enter");
  await expect(page.getByText("Nothing matches")).toBeVisible();
  await tabTo(page, "button", "Clear the search");
  await page.keyboard.press("Enter");

  await tabTo(page, "button", "Model");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("columnheader", { name: "Model" })).toHaveAttribute("aria-sort", "ascending");
});
