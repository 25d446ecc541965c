/** Whether the page hears of changes as they happen. */
export type FeedState = "connecting" | "open" | "offline";

export type FeedEvent = "hello" | "operation" | "stage" | "models";
const EVENTS: readonly FeedEvent[] = ["hello", "operation", "stage", "models"];

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/** The smallest part of EventSource that the feed uses; tests give one of their own. */
export interface EventConnection {
  readonly readyState: number;
  addEventListener(name: string, listener: (event: MessageEvent) => void): void;
  close(): void;
}

/**
 * The server's event stream. The browser resumes a broken connection by itself and sends Last-Event-ID; where it
 * gives up (the server answered with an error), the feed opens a new one from the last id it saw.
 */
export class EventFeed {
  state: FeedState = "connecting";
  #source: EventConnection | undefined;
  #lastId = "";
  #wait = FIRST_WAIT_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #open: (url: string) => EventConnection;
  readonly #stateListeners = new Set<() => void>();
  readonly #eventListeners = new Set<(event: FeedEvent, data: unknown) => void>();

  constructor(open: (url: string) => EventConnection = (url) => new EventSource(url)) {
    this.#open = open;
  }

  start(): void {
    this.stop();
    const query = this.#lastId ? `?last_event_id=${encodeURIComponent(this.#lastId)}` : "";
    const source = this.#open(`/api/v1/events${query}`);
    this.#source = source;
    source.addEventListener("open", () => {
      this.#wait = FIRST_WAIT_MS;
      this.#become("open");
    });
    source.addEventListener("error", () => {
      this.#become("offline");
      // 2 is EventSource.CLOSED: the browser will not try again.
      if (source.readyState === 2) this.#retry();
    });
    for (const name of EVENTS) {
      source.addEventListener(name, (message: MessageEvent) => {
        if (message.lastEventId) this.#lastId = message.lastEventId;
        const data: unknown = JSON.parse(message.data);
        for (const listener of this.#eventListeners) listener(name, data);
      });
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
  }

  /** Calls back on every change of `state`; returns what ends it. */
  onState = (listener: () => void): (() => void) => {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  };

  onEvent(listener: (event: FeedEvent, data: unknown) => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  #become(state: FeedState): void {
    if (this.state === state) return;
    this.state = state;
    for (const listener of this.#stateListeners) listener();
  }

  #retry(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.start(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
  }
}
