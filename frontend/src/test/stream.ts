import { act } from "@testing-library/react";
import { vi } from "vitest";
import type { StreamMessage } from "../api/types";

/** Replaces WebSocket. The test plays the server of the score stream. */
export function serveStreams(): FakeSocket[] {
  const sockets: FakeSocket[] = [];
  vi.stubGlobal(
    "WebSocket",
    class extends FakeSocket {
      constructor(url: string) {
        super(url);
        sockets.push(this);
      }
    },
  );
  return sockets;
}

export class FakeSocket {
  static readonly OPEN = 1;
  readonly url: string;
  readonly sent: (string | ArrayBuffer)[] = [];
  readyState = 0;
  bufferedAmount = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor(url: string) {
    this.url = url;
  }

  send(data: string | ArrayBuffer): void {
    this.sent.push(data);
  }

  close(): void {
    this.readyState = 3;
    this.onclose?.();
  }

  /** Returns the JSON messages that the page sent. */
  get messages(): unknown[] {
    return this.sent.filter((data) => typeof data === "string").map((data) => JSON.parse(data));
  }

  accept(): void {
    this.readyState = FakeSocket.OPEN;
    act(() => this.onopen?.());
  }

  answer(message: StreamMessage): void {
    act(() => this.onmessage?.({ data: JSON.stringify(message) }));
  }

  drop(): void {
    act(() => this.close());
  }
}
