import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { modelHistoryQuery, statusQuery } from "../api/queries";
import type { Model } from "../api/types";
import { formatActor } from "../format/actor";
import { Time } from "../format/time";
import { HeldNotices } from "../policies/held-notices";
import { LastKnown } from "../server-events/last-known";
import { text } from "../text";
import { getPageWarning } from "../text/remedies";
import { buttonClass } from "../ui/button";
import { Panel, Skeleton } from "../ui/layout";
import { ProblemNotice, WarningNotice } from "../ui/notice";
import { findLastActivation } from "./activation-history";
import { LiveModelFacts } from "./live-model-facts";
import { LiveModelLabels } from "./live-model-labels";
import { RollBackButton } from "./roll-back-button";

const words = text.models.live;

/** Shows the live model: what it listens for, whether it works, since when it is live and who activated it. */
export function LiveModelPanel({ active, loading }: { active: Model | null | undefined; loading: boolean }) {
  const status = useQuery(statusQuery()).data;
  return (
    <section aria-label={words.heading}>
      <Panel className="p-5 sm:p-8">
        {loading ? (
          <PanelSkeleton />
        ) : active ? (
          <LiveModel model={active} takesAudio={!status?.live?.tensors_only} />
        ) : (
          <NoLiveModel />
        )}
      </Panel>
      <HeldNotices />
      {status?.problem && (
        <div className="mt-3">
          <ProblemNotice problem={status.problem} />
        </div>
      )}
      {status?.live?.notes.map((note) => (
        <div className="mt-3" key={note}>
          <WarningNotice>{getPageWarning(note)}</WarningNotice>
        </div>
      ))}
    </section>
  );
}

function LiveModel({ model, takesAudio }: { model: Model; takesAudio: boolean }) {
  const history = useQuery(modelHistoryQuery(model.model_id)).data;
  const entry = history && findLastActivation(history.entries, model.model_id);
  return (
    <>
      <div className="flex flex-wrap items-start justify-between gap-x-8 gap-y-5">
        <div className="min-w-0">
          <p className="flex flex-wrap items-center gap-2 font-medium text-accent text-sm">
            <span aria-hidden="true" className="size-2.5 rounded-full bg-accent" />
            {words.heading}
            <LastKnown />
          </p>
          <p
            className="mt-2 line-clamp-3 break-words font-semibold text-2xl tracking-tight sm:text-3xl"
            title={model.model_name}
          >
            <Link
              to="/models/$id"
              params={{ id: String(model.model_id) }}
              className="underline-offset-4 hover:underline"
            >
              <bdi>{model.model_name}</bdi>
            </Link>
            {model.version && <span className="ml-3 font-normal text-ink-3">{model.version}</span>}
          </p>
          <p className="mt-1 min-h-6 break-words text-ink-2">
            {entry && (
              <>
                {text.common.since} <Time at={entry.at} /> (<Time at={entry.at} form="relative" />)
                {entry.actor && ` ${words.sinceBy} ${formatActor(entry)}`}
                {entry.detail && `: ${entry.detail}`}
              </>
            )}
          </p>
        </div>
        <div className="flex flex-wrap gap-2">
          {takesAudio && (
            <>
              <Link to="/try" className={buttonClass({ look: "primary" })}>
                {words.tryIt}
              </Link>
              <Link to="/live" className={buttonClass()}>
                {words.listen}
              </Link>
            </>
          )}
          <RollBackButton />
        </div>
      </div>
      {takesAudio && <LiveModelLabels model={model} />}
      <LiveModelFacts model={model} />
    </>
  );
}

function NoLiveModel() {
  return (
    <div className="flex min-h-44 flex-col justify-center">
      <p className="font-semibold text-2xl tracking-tight">{words.noneTitle}</p>
      <p className="mt-1 text-ink-2">{words.none}</p>
    </div>
  );
}

function PanelSkeleton() {
  return (
    <div className="min-h-[25rem] sm:min-h-64">
      <Skeleton className="h-4 w-24" />
      <Skeleton className="mt-3 h-9 w-2/3 max-w-md" />
      <Skeleton className="mt-3 h-5 w-1/2 max-w-xs" />
      <Skeleton className="mt-10 h-14 w-full" />
    </div>
  );
}
