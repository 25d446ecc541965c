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
