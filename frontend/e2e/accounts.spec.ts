import type { Page } from "@playwright/test";
import { expectAccessible, expectAccessibleDialog, expectAccessibleInBothThemes } from "./axe";
import { expect, test } from "./fixtures";

const PASSWORD = "correct horse battery";

test("a person signs in, makes a key that works, and signs out; a wrong password is refused", async ({
  page,
  server,
}) => {
  server.addPerson("root", "admin", PASSWORD);
  await page.goto(server.url);
  await page.getByLabel("Name").fill("root");
  await page.getByLabel("Password").fill("wrong horse battery");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("The name or the password is wrong.");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();

  await page.getByRole("button", { name: "root, admin" }).click();
  await page.getByRole("menuitem", { name: "People and keys" }).click();
  await page.getByRole("button", { name: "Create a key" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("night build");
  await page.getByRole("dialog").getByRole("button", { name: "Create a key" }).click();
  const key = (await page.getByText(/^usk_\w{8}_[\w-]{43}$/).textContent()) ?? "";
  const answer = await fetch(`${server.url}/api/v1/session`, { headers: { authorization: `Bearer ${key}` } });
  expect(await answer.json()).toMatchObject({ name: "night build", role: "viewer" });
  await page.getByRole("button", { name: "I have copied it" }).click();
  await expect(page.getByText(key)).toHaveCount(0);

  await page.getByRole("button", { name: "root, admin" }).click();
  await page.getByRole("menuitem", { name: "Sign out", exact: true }).click();
  await expect(page.getByLabel("Password")).toBeVisible();
  await page.reload();
  await expect(page.getByLabel("Password")).toBeVisible();
});

/** Opens a dialog from a menu or by its button, checks it, and closes it. */
async function checkDialog(page: Page, open: () => Promise<void>, name: string): Promise<void> {
  await open();
  await expect(page.getByRole("dialog", { name })).toBeVisible();
  await test.step(name, () => expectAccessibleDialog(page));
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
}

test("no page or dialog of people, keys and the account breaks an accessibility rule", async ({ page, server }) => {
  test.slow();
  server.addPerson("root", "admin", PASSWORD);
  server.addPerson("ada", "viewer", PASSWORD);
  await page.goto(`${server.url}/people`);
  await expect(page.getByLabel("Name")).toBeVisible();
  await expectAccessibleInBothThemes(page, "sign-in");
  await page.getByLabel("Name").fill("root");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();

  const create = page.getByRole("button", { name: "Create a key" });
  await create.click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("gate 3");
  await dialog.getByLabel("Role").selectOption("device");
  await dialog.getByLabel("Source").fill("gate-3");
  await test.step("a new key", () => expectAccessibleDialog(page));
  await dialog.getByRole("button", { name: "Create a key" }).click();
  await expect(page.getByRole("button", { name: "I have copied it" })).toBeVisible();
  await expectAccessibleInBothThemes(page, "the key, shown once");
  await page.getByRole("button", { name: "I have copied it" }).click();
  await expectAccessibleInBothThemes(page, "people and keys");

  const choose = (person: string, item: string) => async () => {
    await page.getByRole("button", { name: `Actions for ${person}` }).click();
    await page.getByRole("menuitem", { name: item, exact: true }).click();
  };
  await page.getByRole("button", { name: "Actions for ada" }).click();
  await test.step("a person's menu", () => expectAccessible(page));
  await page.keyboard.press("Escape");
  await checkDialog(page, () => page.getByRole("button", { name: "Add a person" }).click(), "Add a person");
  await checkDialog(page, choose("ada", "Change role"), "Change the role of ada");
  await checkDialog(page, choose("ada", "Set a new password"), "Set a new password for ada");
  await checkDialog(page, choose("ada", "Remove"), "Remove ada?");
  await checkDialog(page, () => page.getByRole("button", { name: "Revoke" }).click(), "Revoke the key gate 3?");

  await page.goto(`${server.url}/account`);
  await expect(page.getByText("This browser")).toBeVisible();
  await expectAccessibleInBothThemes(page, "the account");
});
