import { serverAddress } from "../api/mount";
import type { StreamEnd, StreamMessage, StreamStart } from "../api/types";
import type { CaptureClock } from "../audio/capture-clock";
import { toPcm16 } from "../audio/pcm";

export type StreamState = "idle" | "connecting" | "streaming" | "waiting";

const HEARTBEAT_SECONDS = 1;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 3000;
/** Without an answer for this long the connection counts as dead: a server that was stopped closes nothing. */
const DEAD_MS = 6000;
/** The first answer may take longer: the server may have to load the model. */
const READY_MS = 60_000;
// With more unsent audio than this the server cannot keep up, and each further sample would only add delay.
const MOST_BUFFERED_SECONDS = 1;
const BYTES_A_SAMPLE = 2;
const END: StreamEnd = { type: "end" };

interface Handlers {
  onState: (state: StreamState) => void;
  /** `offset` is the time of the stream's first sample in seconds since 1970. */
  onMessage: (message: StreamMessage, offset: number) => void;
}

/**
 * Sends microphone samples to the server and passes on its messages.
 *
 * It connects again when the connection breaks and when it goes silent: the server sends heartbeats.
 */
export class ScoreStream {
  #socket: WebSocket | undefined;
  #state: StreamState = "connecting";
  #open = false;
  #stopped = false;
  #wait = FIRST_WAIT_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #offset = 0;
  /** Time of the last sign of life, in milliseconds since 1970. */
  #aliveAt = Date.now();
  readonly #address: string;
  readonly #sampleRate: number;
  readonly #clock: CaptureClock;
  readonly #handlers: Handlers;

  constructor(address: string, sampleRate: number, clock: CaptureClock, handlers: Handlers) {
    this.#address = address;
    this.#sampleRate = sampleRate;
    this.#clock = clock;
    this.#handlers = handlers;
    this.#connect();
  }

  get state(): StreamState {
    return this.#state;
  }

  /** Milliseconds since the server sent anything. */
  getSilence(now: number): number {
    return now - this.#aliveAt;
  }

  /** Sends samples. The clock counts them afterwards. */
  push(samples: Float32Array): void {
    const socket = this.#socket;
    if (!socket || !this.#open) return;
    const limit = MOST_BUFFERED_SECONDS * this.#sampleRate * BYTES_A_SAMPLE;
    if (socket.bufferedAmount > limit) this.reconnect();
    else socket.send(toPcm16(samples));
  }

  /** Gives a connection up that has been silent for too long. Call it now and then. */
  watch(now: number): void {
    const limit = this.#open && this.#state === "connecting" ? READY_MS : DEAD_MS;
    if (this.#socket && this.getSilence(now) > limit) this.reconnect();
  }

  /** Ends this connection and opens another. What was sent and not answered stays unheard. */
  reconnect(): void {
    this.#leave();
    this.#scheduleConnect();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(END));
    this.#leave();
    this.#setState("idle");
  }

  /** Closes the socket without waiting: a dead server would never confirm the close. */
  #leave(): void {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = undefined;
    this.#open = false;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #setState(state: StreamState): void {
    this.#state = state;
    this.#handlers.onState(state);
  }

  #scheduleConnect(): void {
    this.#setState("waiting");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
  }

  #connect(): void {
    this.#aliveAt = Date.now();
    this.#setState("connecting");
    const socket = new WebSocket(this.#address);
    this.#socket = socket;
    socket.onopen = () => {
      const start: StreamStart = {
        sample_rate: this.#sampleRate,
        encoding: "pcm16",
        channels: 1,
        heartbeat_seconds: HEARTBEAT_SECONDS,
      };
      socket.send(JSON.stringify(start));
      this.#aliveAt = Date.now();
      this.#offset = this.#clock.time;
      this.#open = true;
    };
    socket.onmessage = (event: MessageEvent<string>) => {
      const message = JSON.parse(event.data) as StreamMessage;
      this.#aliveAt = Date.now();
      if (message.type === "ready") {
        this.#wait = FIRST_WAIT_MS;
        this.#setState("streaming");
      }
      if (!this.#stopped) this.#handlers.onMessage(message, this.#offset);
    };
    socket.onclose = () => {
      if (this.#stopped) return;
      this.#leave();
      this.#scheduleConnect();
    };
  }
}

export function buildStreamUrl(modelId: number | undefined): string {
  const origin = serverAddress.replace(/^http/, "ws");
  return `${origin}/api/v1/stream${modelId === undefined ? "" : `?model_id=${modelId}`}`;
}
