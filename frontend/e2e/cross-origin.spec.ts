import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test as base, expect } from "./fixtures";
import { TestServer } from "./server";
import { wav } from "./wav";

interface Pages {
  allowed: string;
  other: string;
}

/** Serves an empty page at an origin of its own while `use` runs. */
async function servePage(use: (url: string) => Promise<void>): Promise<void> {
  const page = createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end("<title>app</title>"));
  page.listen(0, "127.0.0.1");
  await once(page, "listening");
  await use(`http://localhost:${(page.address() as AddressInfo).port}`);
  page.close();
}

const test = base.extend<Pages>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures from this pattern
  allowed: async ({}, use) => servePage(use),
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures from this pattern
  other: async ({}, use) => servePage(use),
  server: async ({ kit, allowed }, use) => {
    const server = new TestServer(kit, { UNDERSTUDY_ALLOWED_ORIGINS: allowed });
    await server.start();
    await use(server);
    await server.remove();
  },
});

// `withCookies` fails for every page: the server allows no credentials. A browser gives refused requests no other reason.
const FAILED = "TypeError";
const ANSWERED = { predict: "ten", remove: "model_not_found", withCookies: FAILED, events: "hello", stream: "ready" };
const REFUSED = { predict: FAILED, remove: FAILED, withCookies: FAILED, events: "refused", stream: "refused" };

/** Runs in the page: tries every way by which a page uses the server. */
async function useServer([api, recording]: [string, string]): Promise<Record<string, unknown>> {
  const attempt = (work: Promise<unknown>) => work.catch((error: Error) => error.name);
  const predict = async () => {
    const bytes = Uint8Array.from(atob(recording), (letter) => letter.charCodeAt(0));
    const answer = await fetch(`${api}/api/v1/predict`, {
      method: "POST",
      body: bytes,
      headers: { "Content-Type": "audio/wav", Authorization: "Bearer key" },
    });
    return (await answer.json()).model.model_name;
  };
  const remove = async () => {
    const answer = await fetch(`${api}/api/v1/models/99`, { method: "DELETE" });
    return (await answer.json()).code;
  };
  const withCookies = async () => (await fetch(`${api}/api/v1/status`, { credentials: "include" })).status;
  const follow = () =>
    new Promise((resolve) => {
      const events = new EventSource(`${api}/api/v1/events`);
      const end = (result: string) => {
        events.close();
        resolve(result);
      };
      events.addEventListener("hello", () => end("hello"));
      events.onerror = () => end("refused");
    });
  const stream = () =>
    new Promise((resolve) => {
      const socket = new WebSocket(`${api.replace("http", "ws")}/api/v1/stream`);
      const end = (result: string) => {
        resolve(result);
        socket.close();
      };
      socket.onopen = () => socket.send(JSON.stringify({ sample_rate: 16_000, encoding: "pcm16" }));
      socket.onmessage = (message) => end(JSON.parse(message.data).type);
      socket.onerror = () => end("refused");
    });
  return {
    predict: await attempt(predict()),
    remove: await attempt(remove()),
    withCookies: await attempt(withCookies()),
    events: await follow(),
    stream: await stream(),
  };
}

test("a page of an allowed origin predicts, streams and follows events; another page does none of it", async ({
  browser,
  server,
  allowed,
  other,
}) => {
  await server.activate(await server.register("ten"));
  const context = await browser.newContext(); // the one of the other tests permits requests to the server only
  const page = await context.newPage();
  const given: [string, string] = [server.url, wav(2).toString("base64")];
  const outcomes: unknown[] = [];
  for (const url of [allowed, other]) {
    await page.goto(url);
    outcomes.push(await page.evaluate(useServer, given));
  }
  expect(outcomes).toEqual([ANSWERED, REFUSED]);
  await context.close();
});
