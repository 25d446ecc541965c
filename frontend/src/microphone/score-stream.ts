import { serverAddress } from "../api/mount";
import type { StreamEnd, StreamMessage, StreamStart } from "../api/types";
import { toPcm16 } from "../audio/pcm";

export type StreamState = "idle" | "connecting" | "streaming" | "waiting";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
// With more unsent audio than this the server cannot keep up, and each further sample would only add delay.
const MOST_BUFFERED_SECONDS = 1;
const BYTES_A_SAMPLE = 2;
const END: StreamEnd = { type: "end" };

interface Handlers {
  onState: (state: StreamState) => void;
  /** `offset` is the stream's start in seconds since the session began. */
  onMessage: (message: StreamMessage, offset: number) => void;
}

/** Sends microphone samples to the server and passes on its messages. Connects again when the connection breaks. */
export class ScoreStream {
  #socket: WebSocket | undefined;
  #ready = false;
  #stopped = false;
  #wait = FIRST_WAIT_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #samples = 0;
  #offset = 0;
  readonly #address: string;
  readonly #sampleRate: number;
  readonly #handlers: Handlers;

  constructor(address: string, sampleRate: number, handlers: Handlers) {
    this.#address = address;
    this.#sampleRate = sampleRate;
    this.#handlers = handlers;
    this.#connect();
  }

  /** Seconds of sound captured since the session began, over all connections. */
  get clock(): number {
    return this.#samples / this.#sampleRate;
  }

  push(samples: Float32Array): void {
    const socket = this.#socket;
    if (socket && this.#ready) {
      const limit = MOST_BUFFERED_SECONDS * this.#sampleRate * BYTES_A_SAMPLE;
      if (socket.bufferedAmount > limit) socket.close();
      else socket.send(toPcm16(samples));
    }
    this.#samples += samples.length;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(END));
    this.#socket?.close();
    this.#handlers.onState("idle");
  }

  #connect(): void {
    this.#handlers.onState("connecting");
    const socket = new WebSocket(this.#address);
    this.#socket = socket;
    socket.onopen = () => {
      const start: StreamStart = { sample_rate: this.#sampleRate, encoding: "pcm16", channels: 1 };
      socket.send(JSON.stringify(start));
      this.#offset = this.clock;
      this.#ready = true;
    };
    socket.onmessage = (event: MessageEvent<string>) => {
      const message = JSON.parse(event.data) as StreamMessage;
      if (message.type === "ready") {
        this.#wait = FIRST_WAIT_MS;
        this.#handlers.onState("streaming");
      }
      if (!this.#stopped) this.#handlers.onMessage(message, this.#offset);
    };
    socket.onclose = () => {
      this.#ready = false;
      if (this.#stopped) return;
      this.#handlers.onState("waiting");
      this.#timer = setTimeout(() => this.#connect(), this.#wait);
      this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
    };
  }
}

export function buildStreamUrl(modelId: number | undefined): string {
  const origin = serverAddress.replace(/^http/, "ws");
  return `${origin}/api/v1/stream${modelId === undefined ? "" : `?model_id=${modelId}`}`;
}
