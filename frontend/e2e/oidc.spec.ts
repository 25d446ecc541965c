import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test as base, expect } from "./fixtures";
import { findFreePort, TestServer } from "./server";

const CLIENT = { CLIENT_ID: "understudy", CLIENT_SECRET: "a secret of a test" };

/** Starts the providers of oidc-provider.mjs, which send people back to `url`, and returns the first one's issuer. */
async function startProvider(url: string): Promise<{ issuer: string; stop: () => void }> {
  const provider = spawn(process.execPath, [join(import.meta.dirname, "oidc-provider.mjs")], {
    env: { ...process.env, ...CLIENT, REDIRECT_URI: `${url}/api/v1/session/oidc/callback` },
    stdio: ["ignore", "pipe", "ignore"],
  });
  for await (const line of createInterface(provider.stdout)) {
    const [issuer] = JSON.parse(line) as string[];
    if (issuer) return { issuer, stop: () => void provider.kill("SIGKILL") };
  }
  throw new Error("The provider did not start");
}

const test = base.extend({
  server: async ({ kit }, use) => {
    const url = `http://localhost:${await findFreePort()}`;
    const { issuer, stop } = await startProvider(url);
    const server = new TestServer(kit, {
      UNDERSTUDY_OIDC_ISSUER: issuer,
      UNDERSTUDY_OIDC_CLIENT_ID: CLIENT.CLIENT_ID,
      UNDERSTUDY_OIDC_CLIENT_SECRET: CLIENT.CLIENT_SECRET,
      UNDERSTUDY_OIDC_NAME: "Example",
      UNDERSTUDY_JWT_ROLE_CLAIM: "groups",
      UNDERSTUDY_JWT_ROLES: JSON.stringify({ editors: "editor" }),
    });
    server.url = url;
    await server.start();
    await use(server);
    await server.remove();
    stop();
  },
});

test("a person signs in at the provider and comes back to the page that was asked for", async ({ browser, server }) => {
  // The provider is another origin, which the fixtures let no other test ask.
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${server.url}/operations?minutes=60`);
  await page.getByRole("link", { name: "Sign in with Example" }).click();
  await page.getByPlaceholder("Enter any login").fill("editors-ada");
  await page.getByPlaceholder("and password").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("heading", { name: "Operations", level: 1 })).toBeVisible();
  expect(page.url()).toBe(`${server.url}/operations?minutes=60`);
  await expect(page.getByRole("button", { name: /, editor$/ })).toBeVisible();
  // A group without a role is no reason to let somebody in, and the page says why.
  await page.getByRole("button", { name: /, editor$/ }).click();
  await page.getByRole("menuitem", { name: "Sign out", exact: true }).click();
  await context.clearCookies();
  await page.getByRole("link", { name: "Sign in with Example" }).click();
  await page.getByPlaceholder("Enter any login").fill("nobody-eve");
  await page.getByPlaceholder("and password").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("alert")).toContainText("Your account has no role here");
  await context.close();
});
