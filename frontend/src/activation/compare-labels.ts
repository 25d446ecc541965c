export interface LabelChange {
  added: string[];
  removed: string[];
}

/** Returns the labels that predictions gain and lose when `next` replaces `present`. */
export function compareLabels(present: readonly string[], next: readonly string[]): LabelChange {
  const had = new Set(present);
  const has = new Set(next);
  return {
    added: next.filter((label) => !had.has(label)),
    removed: present.filter((label) => !has.has(label)),
  };
}
