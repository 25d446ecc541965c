import type { ModelFilter, SortKey } from "../api/queries";
import { text } from "../text";

export const DEFAULT_SORT: SortKey = "-created_at";

export const isSortKey = (value: unknown): value is SortKey =>
  typeof value === "string" && Object.hasOwn(text.models.list.sorts, value);

/** Reads the models page's query string. Unknown values are dropped. */
export function parseSearchParams(search: Record<string, unknown>): ModelFilter {
  const word = (key: string) => (typeof search[key] === "string" && search[key] !== "" ? search[key] : undefined);
  const q = word("q");
  const type = word("type");
  return { ...(q && { q }), ...(type && { type }), ...(isSortKey(search.sort) && { sort: search.sort }) };
}

/** Returns the sort order after a click on a column's heading: `first`, then the opposite direction. */
export function getNextSort(present: SortKey, first: SortKey): SortKey {
  if (present !== first) return first;
  return (first.startsWith("-") ? first.slice(1) : `-${first}`) as SortKey;
}
