import { vi } from "vitest";

/** Sets the width class of the screen. Each test starts with a wide one. */
export function setScreen(width: "wide" | "narrow"): void {
  vi.stubGlobal("matchMedia", (query: string) => ({
    matches: query.includes("min-width") && width === "wide",
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }));
}

const replaced = new Set<string>();

/** Replaces a part of `navigator` until the end of the test. */
export function setNavigator(name: "mediaDevices" | "clipboard", value: unknown): void {
  Object.defineProperty(navigator, name, { value, configurable: true });
  replaced.add(name);
}

export function restoreNavigator(): void {
  for (const name of replaced) Reflect.deleteProperty(navigator, name);
  replaced.clear();
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
