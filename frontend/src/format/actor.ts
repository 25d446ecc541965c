import type { HistoryEntry } from "../api/types";
import { text } from "../text";

interface Acting {
  actor: string | null;
  principal?: HistoryEntry["principal"] | undefined;
}

/** Returns who asked for a change and by which way, such as "anna (the page)", or null where nobody knows. */
export function formatActor({ actor, principal }: Acting): string | null {
  const way = actor && (text.common.actors[actor] ?? actor);
  if (!principal?.name) return way;
  return way ? `${principal.name} (${way})` : principal.name;
}
