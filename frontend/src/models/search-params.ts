import type { ModelFilter, SortKey } from "../api/queries";
import { text } from "../text";

export const DEFAULT_SORT: SortKey = "-created_at";

export const isSortKey = (value: unknown): value is SortKey =>
  typeof value === "string" && value in text.models.list.sorts;

/** The models page's address: only what differs from the default is written into it. */
export function parseSearchParams(search: Record<string, unknown>): ModelFilter {
  const word = (key: string) => (typeof search[key] === "string" && search[key] !== "" ? search[key] : undefined);
  const q = word("q");
  const type = word("type");
  return { ...(q && { q }), ...(type && { type }), ...(isSortKey(search.sort) && { sort: search.sort }) };
}

/** What a click on a column's heading asks for: the column's own direction first, then the other one. */
export function getNextSort(present: SortKey, first: SortKey): SortKey {
  if (present !== first) return first;
  return (first.startsWith("-") ? first.slice(1) : `-${first}`) as SortKey;
}
