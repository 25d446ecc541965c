import type { EventFeed } from "./event-feed";

/** How current the page is: followed by events, asked for every five seconds, or the last known state. */
export type LinkState = "connecting" | "open" | "polling" | "offline";

export interface LinkStatus {
  state: LinkState;
  /** When the page last knew the server's state, in milliseconds since 1970. */
  knownAt: number;
}

const POLL_MS = 5000;

/** Asks the server every five seconds while its events do not arrive. */
export class ServerLink {
  #status: LinkStatus = { state: "connecting", knownAt: Date.now() };
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #feed: EventFeed;
  readonly #ask: () => Promise<boolean>;
  readonly #refresh: () => void;
  readonly #listeners = new Set<() => void>();

  /** `ask` tells whether the server answers; `refresh` fetches again what the page shows. */
  constructor(feed: EventFeed, ask: () => Promise<boolean>, refresh: () => void) {
    this.#feed = feed;
    this.#ask = ask;
    this.#refresh = refresh;
  }

  get status(): LinkStatus {
    return this.#status;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Follows the feed. Returns a function that ends it. */
  start(): () => void {
    let wasOpen = false;
    const removeListener = this.#feed.onState(() => {
      const { state } = this.#feed;
      if (state === "offline") {
        this.#set("offline");
        void this.#poll();
      }
      if (state !== "open") return;
      this.#set("open");
      // A server that was restarted does not replay the events of the outage.
      if (wasOpen) this.#refresh();
      wasOpen = true;
    });
    this.#timer = setInterval(() => void this.#poll(), POLL_MS);
    return () => {
      clearInterval(this.#timer);
      removeListener();
    };
  }

  async #poll(): Promise<void> {
    if (this.#isOpen()) return;
    const answered = await this.#ask();
    if (this.#isOpen()) return;
    this.#set(answered ? "polling" : "offline");
    if (!answered) return;
    this.#feed.hasten();
    this.#refresh();
  }

  /** A method, because the state changes while the server is asked. */
  #isOpen(): boolean {
    return this.#feed.state === "open";
  }

  #set(state: LinkState): void {
    const before = this.#status;
    const lost = before.state === "open" ? this.#feed.receivedAt : before.knownAt;
    const knownAt = state === "offline" ? lost : Date.now();
    if (before.state === state && state !== "polling") return;
    this.#status = { state, knownAt };
    for (const listener of this.#listeners) listener();
  }
}
