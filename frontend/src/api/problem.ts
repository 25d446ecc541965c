import { text } from "../text";
import type { Problem } from "./types";

/** An error with a problem document, the one shape of every error of the API. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = "ProblemError";
    this.problem = problem;
  }
}

function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && "detail" in value && "code" in value;
}

/** Returns the problem document of an answer, or makes one from the status (a proxy's error page has none). */
export function parseProblem(body: unknown, status: number): Problem {
  if (isProblem(body)) return body;
  return {
    type: "about:blank",
    code: "unexpected_answer",
    status,
    title: text.problem.unexpected.title,
    detail: text.problem.unexpected.detail(status),
    remedy: text.problem.unexpected.remedy,
  };
}

/** Returns the problem of a request that did not reach the server. */
export function makeUnreachableProblem(): Problem {
  return { type: "about:blank", code: "unreachable", status: 0, ...text.problem.unreachable };
}

/** Converts anything thrown to a problem that can be shown. */
export function toProblem(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  const detail = error instanceof Error ? error.message : String(error);
  return { type: "about:blank", code: "page_error", status: 0, ...text.problem.page, detail };
}
