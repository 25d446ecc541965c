import { mount } from "../api/mount";
import { ProblemError } from "../api/problem";
import { text } from "../text";

const WAITS_MS = [300, 1000, 2000];
const RELOADED_KEY = "understudy-reloaded";
const RELOAD_PAUSE_MS = 10 * 60_000;
const ANSWER_MS = 3000;
const CODE = "page_part_missing";

const sleep = (milliseconds: number) => new Promise((wake) => setTimeout(wake, milliseconds));

/** Loads a part of the page's program, with some tries. Throws a `ProblemError`. */
export async function loadChunk<T>(load: () => Promise<T>): Promise<T> {
  for (const wait of WAITS_MS) {
    try {
      return await load();
    } catch {
      await sleep(wait);
    }
  }
  return load().catch(() => {
    throw new ProblemError({ type: "about:blank", code: CODE, status: 0, ...text.problem.chunk });
  });
}

export const isMissingChunk = (error: unknown): boolean => error instanceof ProblemError && error.problem.code === CODE;

/**
 * Reloads the page where a part of it is gone from a server that answers: another version was deployed.
 *
 * It does so once in ten minutes. While the server does not answer, a reload would take the page away.
 */
export async function reloadForNewVersion(reload = () => location.reload()): Promise<void> {
  const last = Number(sessionStorage.getItem(RELOADED_KEY) ?? 0);
  if (Date.now() - last < RELOAD_PAUSE_MS || !(await isServerThere())) return;
  sessionStorage.setItem(RELOADED_KEY, String(Date.now()));
  reload();
}

async function isServerThere(): Promise<boolean> {
  try {
    return (await fetch(`${mount}/health/live`, { signal: AbortSignal.timeout(ANSWER_MS) })).ok;
  } catch {
    return false;
  }
}
