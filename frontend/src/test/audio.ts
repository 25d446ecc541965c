import { act } from "@testing-library/react";
import { vi } from "vitest";

/** Stands for the audio element, which decodes nothing outside of a browser. */
export class FakeAudio extends EventTarget {
  static latest: FakeAudio | undefined;
  src = "";
  preload = "";
  paused = true;
  duration = Number.NaN;
  #time = 0;

  constructor() {
    super();
    FakeAudio.latest = this;
  }

  get currentTime(): number {
    return this.#time;
  }

  set currentTime(seconds: number) {
    this.#time = seconds;
    this.dispatchEvent(new Event("seeking"));
  }

  async play(): Promise<void> {
    this.paused = false;
    this.dispatchEvent(new Event("play"));
  }

  pause(): void {
    this.paused = true;
    this.dispatchEvent(new Event("pause"));
  }

  removeAttribute(): void {}

  /** The browser has read the recording's header. */
  load(seconds: number): void {
    this.duration = seconds;
    act(() => void this.dispatchEvent(new Event("loadedmetadata")));
  }

  /** The recording has played up to a time. */
  advance(seconds: number): void {
    this.#time = seconds;
    act(() => void this.dispatchEvent(new Event("timeupdate")));
  }

  fail(): void {
    act(() => void this.dispatchEvent(new Event("error")));
  }
}

/** Stands for the workers that draw a recording and read its answer. The browser tests use the real ones. */
export class FakeWorker {
  static latest: FakeWorker | undefined;
  static readonly all: FakeWorker[] = [];
  readonly messages: unknown[] = [];
  terminated = false;
  onmessage?: (event: { data: unknown }) => void;
  onerror?: (event: { message: string }) => void;

  constructor() {
    FakeWorker.latest = this;
    FakeWorker.all.push(this);
  }

  /** Returns the newest worker whose first message has a field. */
  static find(field: string): FakeWorker | undefined {
    return FakeWorker.all.findLast(({ messages: [first] }) => typeof first === "object" && first && field in first);
  }

  postMessage(message: unknown): void {
    this.messages.push(message);
  }

  terminate(): void {
    this.terminated = true;
  }

  answer(data: unknown): void {
    act(() => this.onmessage?.({ data }));
  }

  fail(message: string): void {
    act(() => this.onerror?.({ message }));
  }
}

export function stubAudio(): void {
  FakeAudio.latest = undefined;
  FakeWorker.latest = undefined;
  FakeWorker.all.length = 0;
  vi.stubGlobal("Audio", FakeAudio);
  vi.stubGlobal("Worker", FakeWorker);
}
