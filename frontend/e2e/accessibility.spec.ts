import type { Page } from "@playwright/test";
import { expectAccessible, expectContrast } from "./axe";
import { chooseOption, expect, test } from "./fixtures";
import type { TestServer } from "./server";
import { wav } from "./wav";

interface Scene {
  name: string;
  path: string;
  /** Brings the page into the state to check. */
  arrange: (page: Page) => Promise<void>;
}

const SCENES: readonly Scene[] = [
  {
    name: "models",
    path: "/",
    arrange: (page) => expect(page.getByRole("link", { name: "broken" })).toBeVisible(),
  },
  {
    name: "activation",
    path: "/",
    arrange: async (page) => {
      await page.getByRole("button", { name: "Activate six" }).click();
      await expect(page.getByRole("dialog")).toContainText("glass breaking");
    },
  },
  {
    name: "failed activation",
    path: "/",
    arrange: async (page) => {
      await page.getByRole("button", { name: "Activate broken" }).click();
      await page.getByRole("button", { name: "Make it live" }).click();
      await expect(page.getByRole("alert")).toContainText("Git-LFS pointer");
    },
  },
  {
    name: "registration",
    path: "/",
    arrange: async (page) => {
      await page.getByRole("button", { name: "Register a model" }).click();
      await expect(page.getByText("models/spare.onnx")).toBeVisible();
    },
  },
  {
    name: "menu",
    path: "/",
    arrange: async (page) => {
      await page.getByRole("button", { name: "More actions for six" }).click();
      await expect(page.getByRole("menuitem", { name: "Edit" })).toBeVisible();
    },
  },
  {
    name: "model",
    path: "/models/1",
    arrange: (page) => expect(page.getByText("Signature, limits and versions")).toBeVisible(),
  },
  { name: "refused model", path: "/models/3", arrange: (page) => expect(page.getByRole("alert")).toBeVisible() },
  {
    name: "try",
    path: "/try",
    arrange: async (page) => {
      await chooseOption(page, "Compare with", "six, v2");
      const file = { name: "pitches.wav", mimeType: "audio/wav", buffer: wav(3) };
      await page.locator("input[type=file]").setInputFiles(file);
      await expect(page.getByText("Answered by six")).toBeVisible();
      await expect(page.getByRole("button", { name: "Play" })).toBeEnabled();
    },
  },
  {
    name: "picker",
    path: "/try",
    arrange: async (page) => {
      await page.getByRole("combobox", { name: "Compare with" }).click();
      await expect(page.getByRole("option", { name: "six, v2" })).toBeVisible();
    },
  },
  {
    name: "folder",
    path: "/try?compare=2",
    arrange: async (page) => {
      const clips = ["a.wav", "b.wav"].map((name) => ({ name, mimeType: "audio/wav", buffer: wav(1) }));
      await page.locator("input[type=file]").setInputFiles(clips);
      await expect(page.getByText(/They agree on \d of 2 recordings/)).toBeVisible();
    },
  },
  {
    name: "edit",
    path: "/",
    arrange: async (page) => {
      await page.getByRole("button", { name: "More actions for six" }).click();
      await page.getByRole("menuitem", { name: "Edit" }).click();
      await expect(page.getByRole("dialog").getByLabel("Labels")).toHaveValue(/siren/);
    },
  },
  {
    name: "deletion",
    path: "/",
    arrange: async (page) => {
      await page.getByRole("button", { name: "More actions for six" }).click();
      await page.getByRole("menuitem", { name: "Delete" }).click();
      await expect(page.getByRole("dialog")).toContainText("stays where it is");
    },
  },
  {
    name: "live",
    path: "/live",
    arrange: async (page) => {
      await page.getByRole("button", { name: "Start listening" }).click();
      await expect(page.getByText("Listening. Answered by ten")).toBeVisible();
      await page.getByRole("slider", { name: "Threshold of dog" }).focus();
      await page.keyboard.press("Home");
      await page.getByRole("button", { name: "Pin dog" }).click();
      await expect(page.getByRole("button", { name: /^Acknowledge dog at/ }).first()).toBeVisible();
    },
  },
  {
    name: "manual",
    path: "/manual/rollouts",
    arrange: (page) => expect(page.getByRole("heading", { level: 1 })).toBeVisible(),
  },
  {
    name: "people without accounts",
    path: "/people",
    arrange: (page) => expect(page.getByText("no accounts yet")).toBeVisible(),
  },
  {
    name: "account without accounts",
    path: "/account",
    arrange: (page) => expect(page.getByText("There are no accounts")).toBeVisible(),
  },
  {
    name: "operations",
    path: "/operations",
    arrange: (page) =>
      expect(page.getByText("Activated", { exact: true }).and(page.locator("span")).first()).toBeVisible(),
  },
  { name: "no such page", path: "/nowhere", arrange: (page) => expect(page.getByText("no such page")).toBeVisible() },
];

async function setUpScenes(server: TestServer): Promise<void> {
  await server.setUpModels();
  await server.register("broken");
  server.copyModel("six.onnx", "spare.onnx");
}

/** Checks the colors, and that nothing is wider than a phone. */
async function checkDarkThenPhone(page: Page): Promise<void> {
  const wide = page.viewportSize() ?? { width: 1280, height: 900 };
  await expectContrast(page);
  await page.setViewportSize({ width: 360, height: 740 });
  const getExcess = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  await expect.poll(getExcess).toBeLessThanOrEqual(0);
  await page.setViewportSize(wide);
}

// The themes differ in colors only.
for (const [theme, check, what] of [
  ["light", expectAccessible, "no page breaks an accessibility rule"],
  ["dark", checkDarkThenPhone, "every page is readable in the dark, and none scrolls sideways on a phone"],
] as const) {
  test.describe(theme, () => {
    test.use({ colorScheme: theme });

    test(what, async ({ page, server }) => {
      test.slow();
      await setUpScenes(server);
      for (const scene of SCENES) {
        await test.step(scene.name, async () => {
          await page.goto(server.url + scene.path);
          await scene.arrange(page);
          await check(page);
        });
      }
    });
  });
}
