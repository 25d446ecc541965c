import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "@playwright/test";

const FIREFOX = process.env.FIREFOX ?? "firefox-esr";
const LISTENING = /WebDriver BiDi listening on (ws:\/\/\S+)/;
const START_MS = 60_000;
/** A microphone that Firefox invents, allowed without a question, and sound without a click. */
const PREFERENCES = {
  "media.navigator.streams.fake": true,
  "media.navigator.permission.disabled": true,
  "media.autoplay.default": 0,
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "app.update.disabledForTesting": true,
};

interface Reply {
  id?: number;
  type: "success" | "error" | "event";
  result?: unknown;
  message?: string;
  method?: string;
  params?: { level?: string; type?: string; text?: string };
}

interface Evaluated {
  type: "success" | "exception";
  result?: { value?: unknown };
  exceptionDetails?: { text: string };
}

/** One tab of a Firefox of its own, driven by WebDriver BiDi. */
export class Firefox {
  /** Errors of the page's scripts, as they occurred. */
  readonly faults: string[] = [];
  readonly #profile = mkdtempSync(join(tmpdir(), "understudy-firefox-"));
  #process: ChildProcess | undefined;
  #socket: WebSocket | undefined;
  #tab = "";
  #last = 0;
  readonly #waiting = new Map<number, (reply: Reply) => void>();

  async start(): Promise<void> {
    const lines = Object.entries(PREFERENCES).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`);
    writeFileSync(join(this.#profile, "user.js"), lines.join("\n"));
    const options = ["--headless", "--remote-debugging-port=0", "--no-remote", "--profile", this.#profile];
    const started = spawn(FIREFOX, [...options, "about:blank"], { stdio: ["ignore", "ignore", "pipe"] });
    this.#process = started;
    this.#socket = new WebSocket(`${await findAddress(started)}/session`);
    this.#socket.onmessage = (message) => this.#take(JSON.parse(String(message.data)) as Reply);
    await new Promise((resolve, reject) => Object.assign(this.#socket ?? {}, { onopen: resolve, onerror: reject }));
    await this.#send("session.new", { capabilities: {} });
    await this.#send("session.subscribe", { events: ["log.entryAdded"] });
    const { context } = (await this.#send("browsingContext.create", { type: "tab" })) as { context: string };
    this.#tab = context;
    await this.#send("browsingContext.setViewport", { context, viewport: { width: 1280, height: 900 } });
  }

  async stop(): Promise<void> {
    const running = this.#process;
    if (running && running.exitCode === null) {
      const gone = once(running, "exit");
      running.kill("SIGKILL");
      await gone;
    }
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  async open(url: string): Promise<void> {
    await this.#send("browsingContext.navigate", { context: this.#tab, url, wait: "interactive" });
  }

  /** Waits until the page shows `text`. */
  async waitFor(text: string | RegExp): Promise<void> {
    await expect.poll(() => this.evaluate<string>("document.body.innerText"), { message: `${text}` }).toMatch(text);
  }

  /** Clicks the button, link or option with this name, once it is there and enabled. */
  async click(name: string): Promise<void> {
    const find = `[...document.querySelectorAll("button, a, input, [role=option]")].find((each) =>
      (each.getAttribute("aria-label") ?? each.innerText).trim().startsWith(${JSON.stringify(name)}) && !each.disabled)`;
    await expect
      .poll(() => this.evaluate<boolean>(`(() => { const it = ${find}; it?.click(); return it !== undefined; })()`), {
        message: `Click ${name}`,
      })
      .toBe(true);
  }

  /** Returns the value of an expression in the page, as after a click of its user. */
  async evaluate<T>(expression: string): Promise<T> {
    const answer = (await this.#send("script.evaluate", {
      expression,
      target: { context: this.#tab },
      awaitPromise: true,
      userActivation: true,
    })) as Evaluated;
    if (answer.type === "exception") throw new Error(answer.exceptionDetails?.text);
    return answer.result?.value as T;
  }

  #send(method: string, params: object): Promise<unknown> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, (reply) =>
        reply.type === "success" ? resolve(reply.result) : reject(new Error(`${method}: ${reply.message}`)),
      );
      this.#socket?.send(JSON.stringify({ id, method, params }));
    });
  }

  #take(reply: Reply): void {
    if (reply.params?.type === "javascript" && reply.params.level === "error")
      this.faults.push(reply.params.text ?? "an error without a text");
    const waiting = reply.id === undefined ? undefined : this.#waiting.get(reply.id);
    if (reply.id !== undefined) this.#waiting.delete(reply.id);
    waiting?.(reply);
  }
}

/** Returns the address at which a Firefox that starts takes commands. */
function findAddress(started: ChildProcess): Promise<string> {
  let printed = "";
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`Firefox did not start:\n${printed}`)), START_MS);
    started.once("error", reject);
    started.stderr?.on("data", (piece) => {
      printed += piece;
      const address = LISTENING.exec(printed)?.[1];
      if (!address) return;
      clearTimeout(late);
      resolve(address);
    });
  });
}
