export interface LabelChange {
  added: string[];
  removed: string[];
}

export interface ThresholdChange {
  label: string;
  /** Undefined where the label has no threshold. */
  present: number | undefined;
  next: number | undefined;
}

type Thresholds = Readonly<Record<string, number>>;

/** Returns the thresholds of the labels that `next` has or `present` had, those that change first. */
export function compareThresholds(present: Thresholds, next: Thresholds): ThresholdChange[] {
  const changes = [...new Set([...Object.keys(present), ...Object.keys(next)])].map((label) => ({
    label,
    present: present[label],
    next: next[label],
  }));
  return changes.sort((one, other) => Number(one.present === one.next) - Number(other.present === other.next));
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
