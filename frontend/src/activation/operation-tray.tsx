import { useQuery } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { useRollback } from "../api/mutations";
import { toProblem } from "../api/problem";
import { modelQuery, rollbackTargetQuery, statusQuery } from "../api/queries";
import type { Operation } from "../api/types";
import { useOperation, useOperationLog, useOperations } from "../server-events/provider";
import { text } from "../text";
import { Button } from "../ui/button";
import { CloseIcon } from "../ui/icons";
import { ProblemNotice } from "../ui/notice";
import { StepBar } from "./step-list";

// Long enough to read which model went live, and to take it back.
const SUCCESS_SHOWN_MS = 15_000;
const MOST = 3;

/** Shows running and just ended activations of all clients. It lies over the page, so that nothing moves. */
export function OperationTray() {
  const log = useOperationLog();
  const followed = useSyncExternalStore(log.subscribe, () => log.shownInDialog);
  const operations = useOperations()
    .filter((operation) => operation.operation_id !== followed)
    .slice(0, MOST);
  return (
    <section
      aria-label={text.models.tray.label}
      aria-live="polite"
      className="pointer-events-none fixed right-3 bottom-3 left-3 z-30 flex flex-col items-end gap-2 sm:right-6 sm:bottom-6"
    >
      {operations.map((operation) => (
        <OperationCard key={operation.operation_id} shown={operation} />
      ))}
    </section>
  );
}

function OperationCard({ shown }: { shown: Operation }) {
  const log = useOperationLog();
  const operation = useOperation(shown.operation_id) ?? shown;
  const name = useQuery(modelQuery(operation.model_id)).data?.model_name ?? `#${operation.model_id}`;
  const id = operation.operation_id;
  const ended = operation.state !== "running";

  useEffect(() => {
    if (operation.state !== "succeeded") return;
    const timer = setTimeout(() => log.dismiss(id), SUCCESS_SHOWN_MS);
    return () => clearTimeout(timer);
  }, [operation.state, id, log]);

  return (
    <div className="pointer-events-auto w-full max-w-sm rounded-xl border border-line bg-surface p-4 shadow-lg">
      <div className="flex items-start justify-between gap-2">
        <p className="min-w-0 break-words pt-1 font-medium text-sm">{getHeadline(operation, name)}</p>
        {ended && (
          <Button look="quiet" small square aria-label={text.common.dismiss} onClick={() => log.dismiss(id)}>
            <CloseIcon />
          </Button>
        )}
      </div>
      {operation.state === "running" && <p className="mb-3 text-ink-2 text-sm">{text.models.steps[operation.step]}</p>}
      {operation.state !== "failed" && <StepBar operation={operation} />}
      {operation.state === "succeeded" && <UndoButton operation={operation} />}
      {operation.error && (
        <div className="mt-2">
          <ProblemNotice problem={operation.error} />
        </div>
      )}
    </div>
  );
}

/** Goes back to the model that the operation replaced, while nothing else was activated since. */
function UndoButton({ operation }: { operation: Operation }) {
  const log = useOperationLog();
  const live = useQuery(statusQuery()).data?.live;
  const target = useQuery(rollbackTargetQuery()).data;
  const rollback = useRollback();
  if (!target || live?.generation !== operation.generation || target.model.model_id === operation.model_id) return null;
  const undo = () =>
    rollback.mutate(text.models.tray.undoReason, { onSuccess: () => log.dismiss(operation.operation_id) });
  return (
    <>
      <Button
        small
        action="activate"
        className="mt-3 max-w-full"
        disabled={rollback.isPending}
        title={text.models.live.rollBack(target.model.model_name)}
        onClick={undo}
      >
        {text.models.tray.undo}
      </Button>
      {rollback.error && (
        <div className="mt-3">
          <ProblemNotice problem={toProblem(rollback.error)} />
        </div>
      )}
    </>
  );
}

function getHeadline(operation: Operation, name: string): string {
  if (operation.state === "succeeded") return text.models.tray.done(name);
  if (operation.state === "failed") return text.models.tray.failed(name);
  return operation.kind === "rollback" ? text.models.tray.rollback(name) : text.models.tray.activate(name);
}
