import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { ActivateDialog } from "../activation/activate-dialog";
import { useCompile } from "../api/mutations";
import { ProblemError, toProblem } from "../api/problem";
import { activeModelQuery, modelQuery, signatureQuery } from "../api/queries";
import type { Model, ModelDetail, Problem } from "../api/types";
import { useTitle } from "../browser/use-title";
import { ExamplesSection } from "../examples/examples-section";
import { formatBytes, formatPercent } from "../format/numbers";
import { Time } from "../format/time";
import { DeleteDialog } from "../models/delete-dialog";
import { EditDialog } from "../models/edit-dialog";
import { getModelState, ModelStateMark } from "../models/model-state";
import type { ModelAction } from "../models/table";
import { LastKnown } from "../server-events/last-known";
import { text } from "../text";
import { getPageWarning } from "../text/remedies";
import { Button, buttonClass } from "../ui/button";
import { Digest } from "../ui/copy-button";
import { Fact, Facts, Page, PageTitle, Panel, Skeleton } from "../ui/layout";
import { ProblemNotice, QueryFailure, WarningNotice } from "../ui/notice";
import { Commands } from "./commands";
import { ModelHistory } from "./history";
import { ReportSection } from "./report";

const route = getRouteApi("/models/$id");

export function ModelDetailPage() {
  const id = Number(route.useParams().id);
  const query = useQuery(modelQuery(id));
  useTitle(query.data?.model_name ?? text.modelDetail.number(id));
  return (
    <Page>
      <p className="mb-4 text-sm">
        <Link to="/" className="text-ink-2 underline-offset-4 hover:underline">
          ← {text.modelDetail.back}
        </Link>
      </p>
      {query.error && (
        <div className="mb-5">
          <QueryFailure error={query.error} onRetry={() => void query.refetch()} />
        </div>
      )}
      {/* What was loaded stays while the server does not answer, with what was typed into its dialogs. */}
      {query.data && !isDeleted(query.error) && <LoadedModel model={query.data} />}
      {query.isPending && <PageSkeleton />}
    </Page>
  );
}

const isDeleted = (error: unknown) => error instanceof ProblemError && error.problem.code === "model_not_found";

function LoadedModel({ model }: { model: ModelDetail }) {
  const [opened, setOpened] = useState<ModelAction>();
  const active = useQuery(activeModelQuery()).data;
  const navigate = route.useNavigate();
  const close = () => setOpened(undefined);
  return (
    <>
      <PageTitle actions={<Actions model={model} onOpen={setOpened} />}>
        <bdi>{model.model_name}</bdi>
        {model.version && <span className="ml-3 font-normal text-ink-3">{model.version}</span>}
      </PageTitle>
      <Warnings model={model} />
      <Overview model={model} />
      <ExamplesSection model={model} />
      <ReportSection model={model} />
      <ModelHistory model={model} />
      <Commands model={model} />
      {opened === "activate" && active !== undefined && (
        <ActivateDialog model={model} active={active} onClose={close} />
      )}
      {opened === "edit" && <EditDialog model={model} onClose={close} />}
      {opened === "remove" && (
        <DeleteDialog model={model} onClose={close} onDeleted={() => void navigate({ to: "/" })} />
      )}
    </>
  );
}

function Actions({ model, onOpen }: { model: ModelDetail; onOpen: (action: ModelAction) => void }) {
  return (
    <>
      {(!model.is_active || model.spec_pending) && (
        <Button action="activate" look="primary" onClick={() => onOpen("activate")}>
          {model.is_active ? text.modelDetail.activateAgain : text.models.actions.activate}
        </Button>
      )}
      <Link to="/try" search={{ model: model.model_id }} className={buttonClass()}>
        {text.modelDetail.tryIt}
      </Link>
      <Button action="edit" onClick={() => onOpen("edit")}>
        {text.models.actions.edit}
      </Button>
      <Button action="edit" onClick={() => onOpen("remove")} disabled={model.is_active}>
        {text.models.actions.remove}
      </Button>
    </>
  );
}

function Warnings({ model }: { model: ModelDetail }) {
  return (
    <div className="space-y-3 empty:hidden [&:not(:empty)]:mb-5">
      {model.compile_error && model.compile_state === "refused" && (
        <Refusal id={model.model_id} problem={model.compile_error} />
      )}
      {!model.file_exists && <WarningNotice>{text.modelDetail.missing(model.file_path)}</WarningNotice>}
      {model.file_changed && <WarningNotice>{text.modelDetail.changed(model.file_path)}</WarningNotice>}
      {model.notes.map((note) => (
        <WarningNotice key={note}>{getPageWarning(note)}</WarningNotice>
      ))}
    </div>
  );
}

/** Says why a model was refused, and offers to compile it again, for example once its file is mended. */
function Refusal({ id, problem }: { id: number; problem: Problem }) {
  const compile = useCompile();
  return (
    <>
      <ProblemNotice
        problem={problem}
        actions={
          <Button action="edit" small disabled={compile.isPending} onClick={() => compile.mutate(id)}>
            {text.modelDetail.compileAgain}
          </Button>
        }
      />
      {compile.error && <ProblemNotice problem={toProblem(compile.error)} />}
    </>
  );
}

function Overview({ model }: { model: Model }) {
  const unknown = <span className="font-normal text-ink-3">{text.common.unknown}</span>;
  return (
    <Panel className="p-5 sm:p-6">
      <LastKnown />
      {model.description && <p className="mb-5 max-w-prose whitespace-pre-line break-words">{model.description}</p>}
      <Facts className="grid-cols-2 sm:grid-cols-3 lg:grid-cols-4">
        <Fact name={text.models.list.columns.state}>
          <ModelStateMark state={getModelState(model)} />
        </Fact>
        <Fact name={text.common.accuracy}>{model.accuracy === null ? unknown : formatPercent(model.accuracy)}</Fact>
        <Fact name={text.common.type}>
          {model.model_type ? <span className="min-w-0 break-words">{model.model_type}</span> : unknown}
        </Fact>
        <Fact name={text.common.formatSize}>{model.file_bytes === null ? unknown : formatBytes(model.file_bytes)}</Fact>
        <Fact name={text.modelDetail.created}>{model.created_at ? <Time at={model.created_at} /> : unknown}</Fact>
        <Fact name={text.modelDetail.updated}>{model.updated_at ? <Time at={model.updated_at} /> : unknown}</Fact>
        <Fact name={text.common.file}>
          <span className="min-w-0 break-all">{model.file_path}</span>
        </Fact>
        <Fact name={text.common.digest}>{model.digest ? <Digest value={model.digest} /> : unknown}</Fact>
        <Signature id={model.model_id} />
      </Facts>
    </Panel>
  );
}

/** Says who signed the model, or why no signature counts or none can be read. */
function Signature({ id }: { id: number }) {
  const { data, error } = useQuery(signatureQuery(id));
  const detail = data ? data.detail : error ? toProblem(error).detail : null;
  return (
    detail && (
      <Fact name={text.modelDetail.signature}>
        <span className="min-w-0 break-words">{detail}</span>
      </Fact>
    )
  );
}

function PageSkeleton() {
  return (
    <>
      <Skeleton className="h-10 w-1/2" />
      <Skeleton className="mt-6 h-44 w-full" />
      <Skeleton className="mt-10 h-64 w-full" />
    </>
  );
}
