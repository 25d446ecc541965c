import type { ModelChoice } from "../models/model-select";

/** What the address of the Try page says. */
export interface TrySearch {
  /** Id of the model; the live model without it. */
  model?: number;
  /** The model to compare with. */
  compare?: number | "live";
  /** File name of a demo clip. */
  clip?: string;
  /** Position in the clip, in seconds. */
  t?: number;
  /** The part of the clip in view, in seconds. */
  from?: number;
  to?: number;
}

/** Reads the address of the Try page. Values that make no sense are dropped. */
export function parseTrySearch(search: Record<string, unknown>): TrySearch {
  const { model, compare, clip, t, from, to } = search;
  return {
    ...(isId(model) && { model }),
    ...((isId(compare) || compare === "live") && { compare }),
    // A file name made of digits comes as a number.
    ...((typeof clip === "string" || typeof clip === "number") && `${clip}` !== "" && { clip: `${clip}` }),
    ...(isTime(t) && { t }),
    ...(isTime(from) && isTime(to) && from < to && { from, to }),
  };
}

const isId = (value: unknown): value is number => Number.isInteger(value) && Number(value) > 0;
const isTime = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value) && value >= 0;

/** Returns the address's value for a chosen model: nothing for the live one. */
export const toModelParam = (choice: ModelChoice): number | undefined =>
  typeof choice === "number" ? choice : undefined;
