import { vi } from "vitest";

/** Sets the width class of the screen. Each test starts with a wide one. */
export function setScreen(width: "wide" | "narrow"): void {
  vi.stubGlobal("matchMedia", (query: string) => ({
    matches: query.includes("min-width") && width === "wide",
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }));
}

/** Keeps the files that the page offers for download, by name. */
export function captureDownloads(): Map<string, Blob> {
  const files = new Map<string, Blob>();
  let latest = new Blob();
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
    latest = blob as Blob;
    return "blob:download";
  });
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    files.set(this.download, latest);
  });
  return files;
}
