import { type UseQueryResult, useQuery, useQueryClient } from "@tanstack/react-query";
import type { Prediction } from "../api/types";
import { useDelay } from "../browser/use-delay";
import { formatBytes, formatClock } from "../format/numbers";
import type { ModelChoice } from "../models/model-select";
import { text } from "../text";
import { Button } from "../ui/button";
import { Panel, Skeleton } from "../ui/layout";
import { ProgressBar } from "../ui/progress-bar";
import { type Clip, partialQuery, phaseQuery, predictionQuery } from "./prediction-query";
import type { RequestPhase } from "./prediction-request";

const words = text.tryIt.request;
const SLOW_MS = 500;

interface Props {
  query: UseQueryResult<Prediction>;
  clip: Clip;
  choice: ModelChoice;
}

/** Shows how far a request is, and cancels it. An answer that takes no time shows none of it. */
export function RequestPanel({ query, clip, choice }: Props) {
  const client = useQueryClient();
  const slow = useDelay(SLOW_MS);
  const phase = useQuery(phaseQuery(clip, choice)).data;
  const until = useQuery(partialQuery(clip, choice)).data?.until;
  if (query.fetchStatus === "idle" && query.isPending) {
    return (
      <Panel className="min-h-32 p-5 sm:p-6">
        <p role="status">{words.cancelled}</p>
        <Button className="mt-4" onClick={() => void query.refetch()}>
          {words.again}
        </Button>
      </Panel>
    );
  }
  if (!slow || !phase) return <Skeleton className="h-32 w-full" />;
  const { queryKey } = predictionQuery(clip, choice);
  return (
    <Panel className="min-h-32 p-5 sm:p-6">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
        <p role="status" className="font-medium">
          {words[phase.name]}
        </p>
        <p className="text-ink-2 text-sm">{describePhase(phase, clip.blob.size, until)}</p>
      </div>
      <ProgressBar label={words[phase.name]} value={measurePhase(phase, until)} className="mt-3 h-2 rounded-full" />
      <Button small className="mt-4" onClick={() => void client.cancelQueries({ queryKey })}>
        {words.cancel}
      </Button>
    </Panel>
  );
}

/** Returns the share that is done; undefined where it is not known. */
function measurePhase(phase: RequestPhase, until: number | undefined): number | undefined {
  if (phase.name === "sending") return phase.share;
  if (phase.name !== "analyzing" || until === undefined || phase.seconds === undefined) return undefined;
  return Math.min(1, until / phase.seconds);
}

function describePhase(phase: RequestPhase, bytes: number, until: number | undefined): string {
  if (phase.name === "sending") return words.sent(formatBytes(phase.share * bytes), formatBytes(bytes));
  if (phase.name === "reading") return "";
  if (until === undefined) return words.whole;
  const { seconds } = phase;
  return seconds === undefined
    ? words.scoredUpTo(formatClock(until))
    : words.scoredOf(formatClock(Math.min(until, seconds)), formatClock(seconds));
}
