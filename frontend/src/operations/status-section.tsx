import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { modelQuery, statusQuery } from "../api/queries";
import type { Status } from "../api/types";
import { formatDuration, formatMilliseconds } from "../format/numbers";
import { Time } from "../format/time";
import { LastKnown } from "../server-events/last-known";
import { text } from "../text";
import { Fact, Facts, Panel, Skeleton } from "../ui/layout";
import { ProblemNotice, QueryFailure } from "../ui/notice";
import { PlainTable } from "../ui/table";

const words = text.operations.status;
const REPLICA_COLUMNS = [
  words.replica,
  words.model,
  words.state,
  words.generation,
  words.lag,
  words.seen,
  words.problem,
].map((name) => ({ name }));
const REFRESH_MS = 5000;

export function StatusSection() {
  const query = useQuery({ ...statusQuery(), refetchInterval: REFRESH_MS });
  if (!query.data && !query.error) return <Skeleton className="h-44 w-full" />;
  return (
    <div className="space-y-3">
      {query.error && <QueryFailure error={query.error} onRetry={() => void query.refetch()} />}
      {query.data && <StatusPanel status={query.data} />}
    </div>
  );
}

function StatusPanel({ status }: { status: Status }) {
  const problem = status.problem ?? status.database.problem;
  return (
    <section aria-label={words.title} className="space-y-3">
      {problem && <ProblemNotice problem={problem} />}
      <Panel className="p-5 sm:p-6">
        <LastKnown />
        <Facts className="grid-cols-2 sm:grid-cols-3 lg:grid-cols-4 xl:grid-cols-7">
          <Fact name={words.live}>
            {status.live ? (
              <Link
                to="/models/$id"
                params={{ id: String(status.live.model.model_id) }}
                className="underline-offset-4 hover:underline"
              >
                {status.live.model.model_name}
              </Link>
            ) : (
              words.nothing
            )}
          </Fact>
          <Fact name={words.inSync}>{status.in_sync ? words.yes : words.no}</Fact>
          <Fact name={words.registryRead}>
            <RegistryAge status={status} />
          </Fact>
          <Fact name={words.uptime}>{formatDuration(status.uptime_seconds)}</Fact>
          <Fact name={words.database}>
            {words.dialects[status.database.dialect] ?? status.database.dialect},{" "}
            {status.database.reachable ? words.reachable : words.unreachable}
          </Fact>
          <Fact name={words.backbone}>{status.backbone.installed ? words.installed : words.absent}</Fact>
          {status.backbones.length > 0 && (
            <Fact name={words.namedBackbones}>{status.backbones.map((each) => each.name).join(", ")}</Fact>
          )}
          <Fact name={words.version}>{status.version}</Fact>
        </Facts>
        <Replicas status={status} />
      </Panel>
    </section>
  );
}

/** Says how long ago the server last read in its database which model should be live. */
function RegistryAge({ status: { registry_age_seconds: age, problem } }: { status: Status }) {
  if (age == null) return words.never;
  const outdated = problem?.code === "registry_outdated";
  return <span className={outdated ? "text-danger" : ""}>{words.ago(formatDuration(age))}</span>;
}

const formatLag = (seconds: number) => (seconds < 1 ? formatMilliseconds(seconds * 1000) : formatDuration(seconds));

function ReplicaModel({ id }: { id: number | null }) {
  const name = useQuery({ ...modelQuery(id ?? 0), enabled: id !== null }).data?.model_name;
  if (id === null) return words.nothing;
  return (
    <Link to="/models/$id" params={{ id: String(id) }} className="underline-offset-4 hover:underline">
      <bdi>{name ?? words.modelNumber(id)}</bdi>
    </Link>
  );
}

function Replicas({ status }: { status: Status }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <section tabIndex={0} aria-label={words.replicas} className="mt-5 overflow-x-auto border-line border-t pt-3">
      <PlainTable
        className="min-w-2xl"
        columns={REPLICA_COLUMNS}
        rows={status.replicas.map((replica) => ({
          key: replica.replica,
          cells: [
            replica.replica,
            <ReplicaModel key="model" id={replica.model_id} />,
            <span key="state" className={replica.state === "failed" ? "font-medium text-danger" : ""}>
              {words.replicaStates[replica.state] ?? replica.state}
            </span>,
            replica.generation ?? "–",
            replica.lag_seconds == null ? "–" : formatLag(replica.lag_seconds),
            <Time key="seen" at={replica.seen_at} form="exact" />,
            replica.error?.detail ?? "–",
          ],
        }))}
      />
    </section>
  );
}
