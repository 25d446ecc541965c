import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

const KEY = "understudy-theme";
const listeners = new Set<() => void>();
const darkness = globalThis.matchMedia?.("(prefers-color-scheme: dark)");

function readStoredTheme(): Theme {
  const value = localStorage.getItem(KEY);
  return value === "light" || value === "dark" ? value : "system";
}

function applyTheme(): void {
  const theme = readStoredTheme();
  const dark = theme === "dark" || (theme === "system" && darkness?.matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  for (const listener of listeners) listener();
}

darkness?.addEventListener("change", applyTheme);

export function setTheme(theme: Theme): void {
  if (theme === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, theme);
  applyTheme();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useTheme = (): Theme => useSyncExternalStore(subscribe, readStoredTheme);

/** Returns the theme on screen, "light" or "dark". Canvases draw again when it changes. */
export const useResolvedTheme = (): string =>
  useSyncExternalStore(subscribe, () => document.documentElement.dataset.theme ?? "light");

/** Returns the value of a color token of styles.css, for drawing on a canvas. */
export const readToken = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
