import { text } from "../text";
import type { Problem } from "./types";

/** A refusal or an outage, in the one shape that every error of the API has. */
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

/** The problem document of an answer; an answer without one (a proxy's page, say) gets one by its status. */
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

/** The problem that stands for a request which never reached the server. */
export function makeUnreachableProblem(): Problem {
  return { type: "about:blank", code: "unreachable", status: 0, ...text.problem.unreachable };
}

/** The problem behind anything thrown, for a screen that has to say what went wrong. */
export function toProblem(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  const detail = error instanceof Error ? error.message : String(error);
  return { type: "about:blank", code: "page_error", status: 0, ...text.problem.page, detail };
}
