import { useQuery } from "@tanstack/react-query";
import { lastHourQuery, statusQuery } from "../api/queries";
import type { Metrics, Model } from "../api/types";
import { formatCount, formatMilliseconds, formatPercent } from "../format/numbers";
import { Time } from "../format/time";
import { text } from "../text";
import { Fact, Facts } from "../ui/layout";

const words = text.models.live;
const HOUR_S = 3600;

/** Says whether the live model works: recordings and their time in the last hour, and its last event. */
export function LiveModelFacts({ model }: { model: Model }) {
  const query = useQuery(lastHourQuery());
  // Numbers that cannot be fetched any more are not shown as those of the last hour.
  const hour = query.error ? undefined : query.data;
  const status = useQuery(statusQuery());
  const uptime = status.data && status.data.uptime_seconds + (Date.now() - status.dataUpdatedAt) / 1000;
  return (
    <Facts className="mt-6 grid-cols-2 border-line border-t pt-5 lg:grid-cols-4">
      <Fact name={uptime !== undefined && uptime < HOUR_S ? words.recordingsSinceStart : words.recordings}>
        {hour ? formatCount(hour.total.requests) : <Unknown />}
      </Fact>
      <Fact name={words.latency}>
        {hour && hour.total.latency_ms.p95 !== null ? formatMilliseconds(hour.total.latency_ms.p95) : <Unknown />}
      </Fact>
      <Fact name={words.lastEvent}>{hour ? <LastEvent event={hour.last_event} /> : <Unknown />}</Fact>
      <Fact name={text.common.accuracy}>
        {model.accuracy === null ? (
          <span className="font-normal text-ink-3">{text.common.unknown}</span>
        ) : (
          formatPercent(model.accuracy)
        )}
      </Fact>
    </Facts>
  );
}

function LastEvent({ event }: { event: Metrics["last_event"] }) {
  if (!event) return <span className="font-normal text-ink-3">{words.noEvent}</span>;
  return (
    <span className="min-w-0 break-words">
      <bdi>{event.label}</bdi>, {formatPercent(event.score)},{" "}
      <span className="font-normal text-ink-2">
        <Time at={event.at} form="relative" />
      </span>
    </span>
  );
}

const Unknown = () => <span className="font-normal text-ink-3">–</span>;
