import { act } from "@testing-library/react";
import { vi } from "vitest";

/** Replaces XMLHttpRequest, which uploads use because fetch reports no progress. The test plays the server. */
export function serveUploads(): FakeUpload[] {
  const uploads: FakeUpload[] = [];
  vi.stubGlobal(
    "XMLHttpRequest",
    class extends FakeUpload {
      constructor() {
        super();
        uploads.push(this);
      }
    },
  );
  return uploads;
}

export class FakeUpload {
  url = "";
  file: File | undefined;
  aborted = false;
  status = 0;
  response: unknown = null;
  responseType = "";
  upload: { onprogress?: (event: { loaded: number; total: number }) => void } = {};
  onload?: () => void;
  onerror?: () => void;
  onabort?: () => void;

  open(_method: string, url: string): void {
    this.url = url;
  }

  setRequestHeader(): void {}

  send(file: File): void {
    this.file = file;
  }

  abort(): void {
    this.aborted = true;
    this.onabort?.();
  }

  progress(loaded: number, total: number): void {
    act(() => this.upload.onprogress?.({ loaded, total }));
  }

  async answer(status: number, body: unknown): Promise<void> {
    this.status = status;
    this.response = body;
    await act(async () => this.onload?.());
  }

  async fail(): Promise<void> {
    await act(async () => this.onerror?.());
  }
}
