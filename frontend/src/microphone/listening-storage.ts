import { pickShownLabels, type SessionState } from "./session-state";

const KEY = "understudy-listening";
const VERSION = 1;

/** What of listening outlives a reload of the page. */
export interface StoredListening {
  session: SessionState;
  /** The page was listening when it was left. */
  active: boolean;
  modelId: number | undefined;
  deviceId: string | undefined;
}

/** Keeps `stored` for this tab. Of many labels only the shown ones keep their scores, to stay within the storage. */
export function saveListening(stored: StoredListening): void {
  const shown = pickShownLabels(stored.session);
  const windows = stored.session.windows.map((window) => ({
    ...window,
    scores: window.scores && Object.fromEntries(shown.map((label) => [label, window.scores?.[label] ?? 0])),
  }));
  try {
    const session = { ...stored.session, windows, problem: undefined };
    sessionStorage.setItem(KEY, JSON.stringify({ version: VERSION, stored: { ...stored, session } }));
  } catch {
    // Full, or switched off in the browser's settings: the session then ends with the page.
  }
}

/** Returns what the tab kept, or undefined. */
export function loadListening(): StoredListening | undefined {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    if (typeof kept !== "object" || kept === null || !("version" in kept) || kept.version !== VERSION) return undefined;
    return (kept as { stored?: StoredListening }).stored;
  } catch {
    return undefined;
  }
}
