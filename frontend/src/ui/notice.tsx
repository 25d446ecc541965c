import type { ReactNode } from "react";
import { toProblem } from "../api/problem";
import type { Problem } from "../api/types";
import { text } from "../text";
import { getPageRemedy } from "../text/remedies";
import { Button } from "./button";
import { CodeText } from "./code-text";
import { AlertIcon } from "./icons";

interface Props {
  problem: Problem;
  actions?: ReactNode;
}

/** Shows a problem document: the title, the detail and the remedy. */
export function ProblemNotice({ problem, actions }: Props) {
  return (
    <div role="alert" className="flex gap-3 rounded-lg bg-danger-soft p-4 text-sm">
      <span className="pt-0.5 text-danger">
        <AlertIcon />
      </span>
      <div className="min-w-0 flex-1">
        <p className="font-semibold text-danger">{problem.title}</p>
        <p className="mt-1 break-words text-ink">
          <CodeText>{problem.detail}</CodeText>
        </p>
        <p className="mt-2 break-words text-ink-2">
          <span className="font-medium text-ink">{text.common.whatToDo}: </span>
          <CodeText>{getPageRemedy(problem)}</CodeText>
        </p>
        {actions && <div className="mt-3 flex gap-2">{actions}</div>}
      </div>
    </div>
  );
}

/** Shows why a query failed, with a button to run it again. */
export function QueryFailure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  return (
    <ProblemNotice
      problem={toProblem(error)}
      actions={
        onRetry && (
          <Button small onClick={onRetry}>
            {text.common.retry}
          </Button>
        )
      }
    />
  );
}

export function WarningNotice({ children }: { children: ReactNode }) {
  return (
    <div role="status" className="flex gap-3 rounded-lg bg-warn-soft px-4 py-3 text-ink text-sm">
      <span className="pt-0.5 text-warn">
        <AlertIcon />
      </span>
      <div className="min-w-0 flex-1 break-words">
        {typeof children === "string" ? <CodeText>{children}</CodeText> : children}
      </div>
    </div>
  );
}

/** Shows that there is nothing to list, with an action. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="rounded-xl border border-line border-dashed px-6 py-12 text-center">
      <p className="font-medium">{title}</p>
      {children && <div className="mx-auto mt-1 max-w-prose text-ink-2 text-sm">{children}</div>}
      {action && <div className="mt-5 flex justify-center gap-2">{action}</div>}
    </div>
  );
}
