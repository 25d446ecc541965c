import { mount } from "../api/mount";
import type { EventData } from "../api/types";

/** State of the connection that carries the server's events. */
export type FeedState = "connecting" | "open" | "offline";

export type EventName = keyof EventData;
/** Every event's name; the type check fails when the server gets another. */
const EVENT_NAMES: Record<EventName, true> = {
  hello: true,
  operation: true,
  stage: true,
  models: true,
  heartbeat: true,
};

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
/** The server sends something every two seconds. A connection that is silent for longer is dead or blocked. */
const SILENCE_MS = 5000;
/** The same for the server's reading of its database, without which it has no changes to report. */
const UNREAD_MS = 10_000;
/** EventSource.CLOSED: the browser will not connect again by itself. */
const CLOSED = 2;

/** The part of EventSource that the feed uses. Tests pass a fake one. */
export interface EventConnection {
  readonly readyState: number;
  addEventListener(name: string, listener: (event: MessageEvent) => void): void;
  close(): void;
}

/**
 * Receives the server's events over `GET /api/v1/events`.
 *
 * The feed is open while events arrive, heartbeats included: a proxy can keep a connection open and pass nothing on.
 * The browser resumes a broken connection by itself and sends Last-Event-ID. When the server answers with an error,
 * the browser gives up; then, and after silence, the feed opens a new connection from the last id that it saw.
 */
export class EventFeed {
  state: FeedState = "connecting";
  /** When the last event came, in milliseconds since 1970. */
  receivedAt = Date.now();
  #connection: EventConnection | undefined;
  #lastId = "";
  #wait = FIRST_WAIT_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  /** No connection is open or being opened: the last one failed, and the next try waits for its time. */
  #waits = false;
  readonly #open: (url: string) => EventConnection;
  readonly #stateListeners = new Set<() => void>();
  readonly #eventListeners = new Map<EventName, (data: unknown) => void>();

  constructor(open: (url: string) => EventConnection = (url) => new EventSource(url)) {
    this.#open = open;
  }

  /** Calls `listener` with the data of each event of this name. A later listener replaces it. */
  on<Name extends EventName>(name: Name, listener: (data: EventData[Name]) => void): void {
    this.#eventListeners.set(name, (data) => listener(data as EventData[Name]));
  }

  start(): void {
    this.stop();
    const query = this.#lastId ? `?last_event_id=${encodeURIComponent(this.#lastId)}` : "";
    const connection = this.#open(`${mount}/api/v1/events${query}`);
    this.#connection = connection;
    this.#waits = false;
    this.#awaitEvent();
    connection.addEventListener("error", () => {
      this.#waits = true;
      this.#setState("offline");
      if (connection.readyState === CLOSED) this.#scheduleRestart();
    });
    for (const name of Object.keys(EVENT_NAMES) as EventName[]) {
      connection.addEventListener(name, (message: MessageEvent) => this.#receive(name, message));
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    this.#connection?.close();
    this.#connection = undefined;
  }

  /** Connects at once, in place of the wait after a failure. Leaves a connection that is being tried alone. */
  hasten(): void {
    if (this.#waits) this.start();
  }

  /** Calls `listener` when `state` changes. Returns a function that removes the listener. */
  onState = (listener: () => void): (() => void) => {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  };

  #receive(name: EventName, message: MessageEvent): void {
    if (message.lastEventId) this.#lastId = message.lastEventId;
    this.receivedAt = Date.now();
    this.#waits = false;
    this.#wait = FIRST_WAIT_MS;
    this.#awaitEvent();
    const data: unknown = JSON.parse(message.data);
    this.#setState(name === "heartbeat" && isUnread(data as EventData["heartbeat"]) ? "offline" : "open");
    this.#eventListeners.get(name)?.(data);
  }

  #awaitEvent(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.#setState("offline");
      this.#connection?.close();
      this.#scheduleRestart();
    }, SILENCE_MS);
  }

  #setState(state: FeedState): void {
    if (this.state === state) return;
    this.state = state;
    for (const listener of this.#stateListeners) listener();
  }

  #scheduleRestart(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    this.#waits = true;
    this.#timer = setTimeout(() => this.start(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
  }
}

/** Tells whether the server has not read its database for a while. Compares times of the server only. */
function isUnread({ at, read_at }: EventData["heartbeat"]): boolean {
  return Date.parse(at) - Date.parse(read_at) > UNREAD_MS;
}
