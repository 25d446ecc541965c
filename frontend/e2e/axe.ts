import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Fails for each accessibility rule that what is on screen breaks. */
export const expectAccessible = (page: Page): Promise<void> => expectNone(new AxeBuilder({ page }).withTags(RULES));

/** Fails for each rule that the dialog on screen breaks. What lies behind it cannot be reached. */
export const expectAccessibleDialog = (page: Page): Promise<void> =>
  expectNone(new AxeBuilder({ page }).include('[role="dialog"]').withTags(RULES));

/** Fails where text is hard to read. The themes differ in colors only. */
export const expectContrast = (page: Page): Promise<void> =>
  expectNone(new AxeBuilder({ page }).withRules("color-contrast"));

/** Checks what is on screen in the light theme, and its colors in the dark one. */
export async function expectAccessibleInBothThemes(page: Page, name: string): Promise<void> {
  await test.step(name, async () => {
    await expectAccessible(page);
    await showTheme(page, "dark");
    await expectContrast(page);
    await showTheme(page, "light");
  });
}

async function showTheme(page: Page, theme: "light" | "dark"): Promise<void> {
  await page.emulateMedia({ colorScheme: theme });
  await expect(page.locator("html")).toHaveAttribute("data-theme", theme);
}

async function expectNone(axe: AxeBuilder): Promise<void> {
  const { violations } = await axe.analyze();
  const found = violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.target).join(", ")}`);
  expect(found).toEqual([]);
}
