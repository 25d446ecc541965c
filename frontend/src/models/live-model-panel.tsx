import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useRollback } from "../api/mutations";
import { toProblem } from "../api/problem";
import { modelHistoryQuery, statusQuery } from "../api/queries";
import type { Model } from "../api/types";
import { formatBytes, formatPercent } from "../format/numbers";
import { Time } from "../format/time";
import { LastKnown } from "../server-events/last-known";
import { text } from "../text";
import { Button, buttonClass } from "../ui/button";
import { Digest } from "../ui/copy-button";
import { Fact, Facts, Panel, Skeleton } from "../ui/layout";
import { ProblemNotice, WarningNotice } from "../ui/notice";
import { findLastActivation } from "./activation-history";

// Before generation 1 no model was live, so there is nothing to roll back to.
const FIRST_GENERATION = 1;

/** Shows the live model, since when it is live and who activated it. */
export function LiveModelPanel({ active, loading }: { active: Model | null | undefined; loading: boolean }) {
  const status = useQuery(statusQuery()).data;
  return (
    <section aria-label={text.models.live.heading}>
      <Panel className="p-5 sm:p-8">
        {loading ? (
          <PanelSkeleton />
        ) : active ? (
          <LiveModel model={active} takesAudio={!status?.live?.tensors_only} />
        ) : (
          <NoLiveModel />
        )}
      </Panel>
      {status?.problem && (
        <div className="mt-3">
          <ProblemNotice problem={status.problem} />
        </div>
      )}
      {status?.live?.notes.map((note) => (
        <div className="mt-3" key={note}>
          <WarningNotice>{note}</WarningNotice>
        </div>
      ))}
    </section>
  );
}

function LiveModel({ model, takesAudio }: { model: Model; takesAudio: boolean }) {
  const history = useQuery(modelHistoryQuery(model.model_id)).data;
  const entry = history && findLastActivation(history.entries, model.model_id);
  const rollback = useRollback();
  return (
    <>
      <div className="flex flex-wrap items-start justify-between gap-x-8 gap-y-5">
        <div className="min-w-0">
          <p className="flex flex-wrap items-center gap-2 font-medium text-accent text-sm">
            <span aria-hidden="true" className="size-2.5 rounded-full bg-accent" />
            {text.models.live.heading}
            <LastKnown />
          </p>
          <p className="mt-2 break-words font-semibold text-2xl tracking-tight sm:text-3xl">
            <Link
              to="/models/$id"
              params={{ id: String(model.model_id) }}
              className="underline-offset-4 hover:underline"
            >
              {model.model_name}
            </Link>
            {model.version && <span className="ml-3 font-normal text-ink-3">{model.version}</span>}
          </p>
          <p className="mt-1 min-h-6 text-ink-2">
            {entry && (
              <>
                {text.common.since} <Time at={entry.at} /> (<Time at={entry.at} form="relative" />)
                {entry.actor && ` ${text.models.live.sinceBy} ${text.common.actors[entry.actor] ?? entry.actor}`}
              </>
            )}
          </p>
        </div>
        <div className="flex flex-wrap gap-2">
          {takesAudio && (
            <Link to="/try" className={buttonClass({ look: "primary" })}>
              {text.models.live.tryIt}
            </Link>
          )}
          {entry?.generation !== FIRST_GENERATION && (
            <Button
              onClick={() => rollback.mutate()}
              disabled={rollback.isPending}
              title={text.models.live.rollBackExplain}
            >
              {text.models.live.rollBack}
            </Button>
          )}
        </div>
      </div>
      <Facts className="mt-6 grid-cols-2 border-line border-t pt-5 sm:mt-8 lg:grid-cols-5">
        <Fact name={text.common.accuracy}>
          {model.accuracy === null ? <NotGiven /> : formatPercent(model.accuracy)}
        </Fact>
        <Fact name={text.common.type}>{model.model_type ?? <NotGiven />}</Fact>
        <Fact name={text.common.formatSize}>
          {model.file_bytes === null ? <NotGiven /> : formatBytes(model.file_bytes)}
        </Fact>
        <Fact name={text.models.live.generation}>{entry?.generation ? entry.generation : <NotGiven />}</Fact>
        <Fact name={text.common.digest}>{model.digest ? <Digest value={model.digest} /> : <NotGiven />}</Fact>
      </Facts>
      {rollback.error && (
        <div className="mt-4">
          <ProblemNotice problem={toProblem(rollback.error)} />
        </div>
      )}
    </>
  );
}

function NotGiven() {
  return <span className="font-normal text-ink-3">{text.common.unknown}</span>;
}

function NoLiveModel() {
  return (
    <div className="flex min-h-44 flex-col justify-center">
      <p className="font-semibold text-2xl tracking-tight">{text.models.live.noneTitle}</p>
      <p className="mt-1 text-ink-2">{text.models.live.none}</p>
    </div>
  );
}

function PanelSkeleton() {
  return (
    <div className="min-h-[19rem] sm:min-h-52">
      <Skeleton className="h-4 w-24" />
      <Skeleton className="mt-3 h-9 w-2/3 max-w-md" />
      <Skeleton className="mt-3 h-5 w-1/2 max-w-xs" />
      <Skeleton className="mt-10 h-14 w-full" />
    </div>
  );
}
