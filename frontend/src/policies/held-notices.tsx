import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { CompareWithLive } from "../activation/compare-with-live";
import { toProblem } from "../api/problem";
import { activeModelQuery, modelQuery } from "../api/queries";
import type { ActivationRequest, Confirmation, FreezeWindow } from "../api/types";
import { formatDuration } from "../format/numbers";
import { Time } from "../format/time";
import { useLinkState } from "../server-events/provider";
import { text } from "../text";
import { Button } from "../ui/button";
import { Dialog, DialogActions } from "../ui/dialog";
import { ProblemNotice, WarningNotice } from "../ui/notice";
import { policiesQuery, useApprove, useConfirm, useDecline } from "./api";

const words = text.policies.held;
const TICK_MS = 1000;

/** Shows what the policies hold back: requests to approve, a freeze, and a model that waits to be confirmed. */
export function HeldNotices() {
  const query = useQuery(policiesQuery());
  if (!query.data) return null;
  const { confirmation, freeze, requests } = query.data;
  return (
    <div className="mt-3 space-y-3 empty:hidden">
      {confirmation && (
        <ConfirmNotice
          key={`${confirmation.generation} ${query.dataUpdatedAt}`}
          confirmation={confirmation}
          readAt={query.dataUpdatedAt}
        />
      )}
      {freeze && <WarningNotice>{words.frozen(formatWindow(freeze))}</WarningNotice>}
      {requests.map((request) => (
        <RequestNotice key={request.request_id} request={request} />
      ))}
    </div>
  );
}

export const formatWindow = ({ begins, ends, time_zone }: FreezeWindow): string => `${begins} - ${ends} ${time_zone}`;

/** Counts down by the time that has passed here since the server said how much is left: clocks may differ. */
function ConfirmNotice({ confirmation, readAt }: { confirmation: Confirmation; readAt: number }) {
  const confirm = useConfirm(confirmation.generation);
  const offline = useLinkState() === "offline";
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  const left = Math.max(0, Math.ceil(confirmation.seconds_left - (Math.max(now, readAt) - readAt) / 1000));
  const name = confirmation.model_name ?? words.model(confirmation.model_id);
  const before = confirmation.return_model_name ?? words.model(confirmation.return_model_id);
  return (
    <WarningNotice>
      <p>
        {offline ? words.unknown(name, before) : left > 0 ? words.unconfirmed(name, before) : words.returning(before)}
      </p>
      {left > 0 && !offline && (
        <p className="mt-1 font-semibold text-lg tabular-nums" aria-live="off">
          {formatDuration(left)}
        </p>
      )}
      {confirm.error && (
        <div className="mt-3">
          <ProblemNotice problem={toProblem(confirm.error)} />
        </div>
      )}
      <div className="mt-3">
        <Button
          small
          look="primary"
          action="activate"
          disabled={confirm.isPending}
          onClick={() => confirm.mutate(undefined)}
        >
          {words.confirm(name)}
        </Button>
      </div>
    </WarningNotice>
  );
}

function RequestNotice({ request }: { request: ActivationRequest }) {
  const approve = useApprove(request.request_id);
  const decline = useDecline(request.request_id);
  const [asking, setAsking] = useState(false);
  const error = approve.error ?? decline.error;
  const by = request.requested_by?.name ?? words.somebody;
  const name = [request.model_name, request.version].filter(Boolean).join(" ");
  return (
    <WarningNotice>
      <p className="font-medium">
        {request.kind === "rollback" ? words.asksForRollback(by, name) : words.asksFor(by, name)}
      </p>
      {request.reason && <p className="mt-1">{request.reason}</p>}
      {request.override_reason != null && <p className="mt-1">{words.inFreeze}</p>}
      <p className="mt-1 text-ink-2">
        <Time at={request.requested_at} form="relative" />, {words.expires} <Time at={request.expires_at} />
      </p>
      {error && !asking && (
        <div className="mt-3">
          <ProblemNotice problem={toProblem(error)} />
        </div>
      )}
      <div className="mt-3 flex flex-wrap gap-2">
        <Button small look="primary" action="activate" onClick={() => setAsking(true)}>
          {words.approve}
          <span className="sr-only">{` ${name}`}</span>
        </Button>
        <Button small action="activate" disabled={decline.isPending} onClick={() => decline.mutate(undefined)}>
          {words.decline}
          <span className="sr-only">{` ${name}`}</span>
        </Button>
      </div>
      {asking && (
        <Dialog
          open
          onOpenChange={() => setAsking(false)}
          title={words.approveTitle(name)}
          description={words.approveLead}
        >
          <RequestComparison id={request.model_id} />
          <p className="mt-4 break-all text-ink-2 text-sm">
            {words.digest} {request.digest}
          </p>
          {approve.error && (
            <div className="mt-4">
              <ProblemNotice problem={toProblem(approve.error)} />
            </div>
          )}
          <DialogActions>
            <Button onClick={() => setAsking(false)}>{text.common.cancel}</Button>
            <Button
              look="primary"
              action="activate"
              disabled={approve.isPending}
              onClick={() => approve.mutate(undefined, { onSuccess: () => setAsking(false) })}
            >
              {words.approveNow}
            </Button>
          </DialogActions>
        </Dialog>
      )}
    </WarningNotice>
  );
}

/** Shows what the request would change, once both models are known. */
function RequestComparison({ id }: { id: number }) {
  const model = useQuery(modelQuery(id)).data;
  const active = useQuery(activeModelQuery()).data;
  return model && active !== undefined && <CompareWithLive model={model} active={active} />;
}
