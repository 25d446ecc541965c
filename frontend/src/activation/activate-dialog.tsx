import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useRefusal } from "../access/access";
import { limits } from "../api/limits";
import { useActivate } from "../api/mutations";
import { toProblem } from "../api/problem";
import { reportQuery } from "../api/queries";
import type { Model, Operation, Problem } from "../api/types";
import { policiesQuery } from "../policies/api";
import { formatWindow } from "../policies/held-notices";
import { useOperation, useOperationLog } from "../server-events/provider";
import { text } from "../text";
import { getPageWarning } from "../text/remedies";
import { Button } from "../ui/button";
import { Dialog, DialogActions } from "../ui/dialog";
import { TextField } from "../ui/field";
import { ProblemNotice, WarningNotice } from "../ui/notice";
import { CompareWithLive } from "./compare-with-live";
import { StepList } from "./step-list";

const words = text.models.activate;
const TAKES_TENSORS = "takes_tensors";
const APPROVAL_NEEDED = "approval_needed";

interface Props {
  model: Model;
  active: Model | null;
  onClose: () => void;
}

/** Shows what an activation changes, asks for confirmation, then shows the activation's steps. */
export function ActivateDialog({ model, active, onClose }: Props) {
  // Keeps the model that was live when the dialog opened: `active` changes when the activation succeeds.
  const [before] = useState(active);
  const activate = useActivate();
  const log = useOperationLog();
  const report = useQuery({ ...reportQuery(model.model_id), enabled: model.compile_state === "ready" }).data;
  const [started, setStarted] = useState<Operation>();
  const [reason, setReason] = useState("");
  const [overrides, setOverrides] = useState(false);
  const freeze = useQuery(policiesQuery()).data?.freeze;
  const mayOverride = useRefusal("policies") === undefined;
  const id = started?.operation_id;
  const operation = useOperation(id) ?? started;
  const takesTensors = report?.spec.input === "tensor";
  const waits = activate.error !== null && toProblem(activate.error).code === APPROVAL_NEEDED;
  useEffect(() => {
    log.setShownInDialog(id);
    return () => log.setShownInDialog(undefined);
  }, [id, log]);
  const close = () => {
    if (operation && operation.state !== "running") log.dismiss(operation.operation_id);
    onClose();
  };
  const start = (tensorsOnly: boolean) => {
    const follow = (next: Operation) => {
      if (id) log.dismiss(id);
      setStarted(next);
    };
    activate.mutate(
      { id: model.model_id, tensorsOnly, reason: reason.trim(), overrideFreeze: overrides },
      { onSuccess: follow },
    );
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && close()}
      title={getTitle(model, operation)}
      description={operation ? getDescription(operation) : words.lead}
    >
      {operation ? (
        <Progress
          operation={operation}
          before={before}
          onClose={close}
          problem={activate.error ? toProblem(activate.error) : operation.error}
          onPermitTensors={() => start(true)}
          pending={activate.isPending}
        />
      ) : (
        <>
          <CompareWithLive model={model} active={before} />
          {takesTensors && (
            <div className="mt-4">
              <WarningNotice>{words.tensorsOnly}</WarningNotice>
            </div>
          )}
          {activate.error && (
            <div className="mt-4">
              <ProblemNotice problem={toProblem(activate.error)} />
            </div>
          )}
          <div className="mt-4">
            <TextField
              label={words.reason}
              hint={words.reasonHint}
              maxLength={limits.reasonLength}
              value={reason}
              onChange={(event) => setReason(event.target.value)}
            />
          </div>
          {freeze && (
            <div className="mt-4 space-y-3">
              <WarningNotice>{text.policies.held.frozen(formatWindow(freeze))}</WarningNotice>
              {mayOverride && (
                <label className="flex items-baseline gap-2 text-sm">
                  <input
                    type="checkbox"
                    className="accent-accent"
                    checked={overrides}
                    onChange={(event) => setOverrides(event.target.checked)}
                  />
                  <span>
                    {text.policies.override}
                    <span className="block text-ink-2">{text.policies.overrideHint}</span>
                  </span>
                </label>
              )}
            </div>
          )}
          <DialogActions>
            <Button onClick={close}>{waits ? text.common.close : text.common.cancel}</Button>
            {!waits && (
              <Button
                action="activate"
                look="primary"
                disabled={activate.isPending || (overrides && reason.trim() === "")}
                onClick={() => start(takesTensors)}
              >
                {takesTensors ? words.confirmTensors : words.confirm}
              </Button>
            )}
          </DialogActions>
        </>
      )}
    </Dialog>
  );
}

interface ProgressProps {
  operation: Operation;
  before: Model | null;
  problem: Problem | null;
  onClose: () => void;
  onPermitTensors: () => void;
  pending: boolean;
}

function Progress({ operation, before, problem, onClose, onPermitTensors, pending }: ProgressProps) {
  const failed = operation.state === "failed";
  const takesTensors = failed && operation.error?.code === TAKES_TENSORS;
  return (
    <div aria-live="polite">
      <StepList operation={operation} />
      {failed && problem && (
        <div className="mt-5 space-y-3">
          <ProblemNotice problem={problem} />
          {takesTensors && <p className="text-sm">{words.tensorsOnly}</p>}
          <p className="font-medium text-sm">{before ? words.stays(before.model_name) : words.staysEmpty}</p>
        </div>
      )}
      {operation.warnings.length > 0 && (
        <div className="mt-5 space-y-3">
          {operation.warnings.map((warning) => (
            <WarningNotice key={warning}>{getPageWarning(warning)}</WarningNotice>
          ))}
        </div>
      )}
      <DialogActions>
        {takesTensors && (
          <Button action="activate" disabled={pending} onClick={onPermitTensors}>
            {words.confirmTensors}
          </Button>
        )}
        <Button onClick={onClose} look={operation.state === "succeeded" ? "primary" : "plain"}>
          {text.common.close}
        </Button>
      </DialogActions>
    </div>
  );
}

function getTitle(model: Model, operation: Operation | undefined): string {
  if (!operation) return words.title(model.model_name);
  if (operation.state === "running") return words.running(model.model_name);
  return operation.state === "succeeded" ? words.done(model.model_name) : words.failed(model.model_name);
}

function getDescription(operation: Operation): string {
  if (operation.state === "running") return words.background;
  return operation.state === "succeeded" ? words.afterwards : "";
}
