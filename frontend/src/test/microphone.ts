import { act } from "@testing-library/react";
import { vi } from "vitest";
import { setNavigator } from "./browser";

const SAMPLE_RATE = 16_000;

/** What the browser says of the processing that it applies to the microphone. */
type Settings = Partial<Record<"autoGainControl" | "noiseSuppression" | "echoCancellation", boolean>>;

interface Port {
  onmessage?: (message: { data: { samples: Float32Array; at: number } }) => void;
}

/** Replaces the browser's microphone and audio graph, which the test environment lacks. */
export class FakeMicrophone {
  static readonly sampleRate = SAMPLE_RATE;
  #port: Port = {};
  /** When the captured sound ends, in milliseconds since 1970. */
  #at = Date.now();
  /** Microphones that were opened and not stopped. */
  open = 0;
  /** Lets the test hold back the permission: awaited before the microphone opens. */
  permission: Promise<void> = Promise.resolve();
  onOpen: () => void = () => undefined;

  constructor(settings: Settings = {}) {
    const track = { stop: () => (this.open -= 1), getSettings: () => settings };
    this.#stubDevices(async () => {
      await this.permission;
      this.open += 1;
      this.onOpen();
      return { getTracks: () => [track], getAudioTracks: () => [track] };
    });
    const setPort = (port: Port) => {
      this.#port = port;
    };
    vi.stubGlobal(
      "AudioContext",
      class {
        sampleRate = SAMPLE_RATE;
        audioWorklet = { addModule: async () => undefined };
        resume = async () => undefined;
        close = async () => undefined;
        createMediaStreamSource = () => ({ connect: () => undefined });
      },
    );
    vi.stubGlobal(
      "AudioWorkletNode",
      class {
        port = {};
        constructor() {
          setPort(this.port);
        }
      },
    );
    vi.stubGlobal(
      "AnalyserNode",
      class {
        frequencyBinCount = 1024;
        context = { sampleRate: SAMPLE_RATE };
        getFloatFrequencyData = () => undefined;
      },
    );
  }

  /** Refuses the microphone with a DOMException of this name. */
  refuse(name: string): void {
    this.#stubDevices(() => Promise.reject(new DOMException("", name)));
  }

  /** Captures silence. */
  capture(seconds: number): void {
    this.#at += seconds * 1000;
    const samples = new Float32Array(seconds * SAMPLE_RATE);
    act(() => this.#port.onmessage?.({ data: { samples, at: this.#at } }));
  }

  /** Stands still, as while the machine sleeps. */
  pause(seconds: number): void {
    this.#at += seconds * 1000;
  }

  #stubDevices(getUserMedia: () => Promise<unknown>): void {
    setNavigator("mediaDevices", { getUserMedia });
  }
}
