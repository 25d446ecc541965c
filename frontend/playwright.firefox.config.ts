import { defineConfig } from "@playwright/test";

/** The main walk in Firefox, which is driven by WebDriver BiDi: Playwright's own Firefox is not Debian's. */
export default defineConfig({
  testDir: "e2e-firefox",
  workers: 1,
  forbidOnly: true,
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: [["list"]],
});
