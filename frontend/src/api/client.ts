import createClient from "openapi-fetch";
import { stripDirectionControls } from "./direction-controls";
import { serverAddress } from "./mount";
import { makeUnreachableProblem, ProblemError, parseProblem } from "./problem";
import type { paths } from "./schema";

/** Fetches; throws a `ProblemError` when the server cannot be reached, so that callers handle one kind of error. */
async function fetchOrThrowProblem(request: Request): Promise<Response> {
  try {
    return await stripDirectionControls(await fetch(request));
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ProblemError(makeUnreachableProblem());
  }
}

export const api = createClient<paths>({ baseUrl: serverAddress, fetch: fetchOrThrowProblem });

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Returns the body of an answer. Throws a `ProblemError` when the server refused the request. */
export async function unwrap<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (!response.ok) throw new ProblemError(parseProblem(error, response.status));
  return data as T;
}
