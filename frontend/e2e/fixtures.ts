import { writeFileSync } from "node:fs";
import { type BrowserContext, test as base, chromium, expect, type Page } from "@playwright/test";
import { type ModelKit, makeKit, TestServer } from "./server";
import { wav } from "./wav";

export { expect };

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

const MICROPHONE_SECONDS = 12;

interface Fixtures {
  server: TestServer;
  guarded: undefined;
}

/** Each test gets its own `server`. A request to another origin, a policy violation or a script error fails the test. */
export const test = base.extend<Fixtures, { kit: ModelKit }>({
  kit: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures from this pattern
    async ({}, use) => {
      const { kit, remove } = makeKit();
      await use(kit);
      remove();
    },
    { scope: "worker" },
  ],
  browser: [
    async ({ kit }, use) => {
      writeFileSync(kit.microphone, wav(MICROPHONE_SECONDS));
      const browser = await chromium.launch({
        executablePath: CHROMIUM,
        args: [
          "--no-sandbox",
          "--disable-gpu",
          "--disable-background-networking",
          "--disable-component-update",
          "--use-fake-ui-for-media-stream",
          "--use-fake-device-for-media-stream",
          `--use-file-for-fake-audio-capture=${kit.microphone}`,
        ],
      });
      await use(browser);
      await browser.close();
    },
    { scope: "worker" },
  ],
  server: async ({ kit }, use) => {
    const server = new TestServer(kit);
    await server.start();
    await use(server);
    await server.remove();
  },
  guarded: [
    async ({ context, server }, use) => {
      const faults = await watchForFaults(context, server.url);
      await use(undefined);
      expect(faults).toEqual([]);
    },
    { auto: true },
  ],
});

/** Returns a `test` whose tests share one server: for files whose tests change nothing that another one sees. */
export function shareServer(): typeof test {
  let shared: TestServer | undefined;
  const sharing = test.extend<Fixtures>({
    server: async ({ kit }, use) => {
      if (!shared) {
        shared = new TestServer(kit);
        await shared.start();
      }
      await use(shared);
    },
  });
  sharing.afterAll(() => shared?.remove());
  return sharing;
}

/** Chooses an option in a combobox that searches. */
export async function chooseOption(page: Page, field: string, option: string): Promise<void> {
  await page.getByRole("combobox", { name: field }).click();
  await page.getByRole("option", { name: option }).click();
}

/** Collects requests to other origins, violations of the content security policy and script errors. */
export async function watchForFaults(context: BrowserContext, origin: string): Promise<string[]> {
  const faults: string[] = [];
  const host = new URL(origin).host;
  const check = (address: string) => {
    const url = new URL(address);
    if (!["data:", "blob:"].includes(url.protocol) && url.host !== host) faults.push(`request to ${address}`);
  };
  context.on("request", (request) => check(request.url()));
  context.on("weberror", (error) => faults.push(`script error: ${error.error()}`));
  context.on("console", (message) => {
    if (/content security policy/i.test(message.text())) faults.push(message.text());
  });
  context.on("page", (page) => page.on("websocket", (socket) => check(socket.url())));
  return faults;
}
