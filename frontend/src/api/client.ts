import createClient from "openapi-fetch";
import { makeUnreachableProblem, ProblemError, parseProblem } from "./problem";
import type { paths } from "./schema";

/** Throws an `unreachable` problem where fetch itself fails, so that callers meet one kind of error. */
async function fetchOrThrowProblem(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ProblemError(makeUnreachableProblem());
  }
}

export const api = createClient<paths>({ baseUrl: globalThis.location?.origin ?? "", fetch: fetchOrThrowProblem });

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of an answer; throws its problem document as a `ProblemError`. */
export async function unwrap<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (!response.ok) throw new ProblemError(parseProblem(error, response.status));
  return data as T;
}
