import { act } from "@testing-library/react";

type Listener = (value?: number) => void;

/** Stands for wavesurfer.js, which needs a browser's audio decoder and canvas. The browser tests use the real one. */
export class FakeWaveSurfer {
  static latest: FakeWaveSurfer | undefined;
  readonly #listeners = new Map<string, Listener>();
  #playing = false;
  loaded: Blob | undefined;

  static create(): FakeWaveSurfer {
    FakeWaveSurfer.latest = new FakeWaveSurfer();
    return FakeWaveSurfer.latest;
  }

  on(event: string, listener: Listener): void {
    this.#listeners.set(event, listener);
  }

  async loadBlob(blob: Blob): Promise<void> {
    this.loaded = blob;
  }

  async playPause(): Promise<void> {
    this.#playing = !this.#playing;
    this.#listeners.get(this.#playing ? "play" : "pause")?.();
  }

  setTime(seconds: number): void {
    this.#listeners.get("timeupdate")?.(seconds);
  }

  destroy(): void {}

  emit(event: "ready" | "error" | "finish" | "timeupdate", value?: number): void {
    act(() => this.#listeners.get(event)?.(value));
  }
}
