import { useQuery } from "@tanstack/react-query";
import clsx from "clsx";
import { modelHistoryQuery } from "../api/queries";
import type { Model } from "../api/types";
import { formatActor } from "../format/actor";
import { formatDuration } from "../format/numbers";
import { Time } from "../format/time";
import { text } from "../text";
import { Section, Skeleton } from "../ui/layout";
import { QueryFailure } from "../ui/notice";
import { buildTimeline, type TimelineItem } from "./timeline";

const words = text.modelDetail.history;

/** A model's history as a timeline, newest first. */
export function ModelHistory({ model }: { model: Model }) {
  const query = useQuery(modelHistoryQuery(model.model_id));
  const items = query.data && buildTimeline(query.data.entries);
  return (
    <Section title={words.title}>
      {query.error && <QueryFailure error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Skeleton className="h-40 w-full" />}
      {items?.length === 0 && <p className="text-ink-2">{words.none}</p>}
      {items && (
        <ol>
          {items.map((item, index) => (
            <Item key={item.entry.history_id} item={item} last={index === items.length - 1} />
          ))}
        </ol>
      )}
    </Section>
  );
}

function Item({ item, last }: { item: TimelineItem; last: boolean }) {
  const { entry, live } = item;
  return (
    <li className="grid grid-cols-[1rem_minmax(0,1fr)] gap-x-3">
      <span aria-hidden="true" className="flex flex-col items-center">
        <span
          className={clsx(
            "mt-1.5 size-3 shrink-0 rounded-full",
            live ? "bg-accent" : entry.event === "refused" ? "bg-danger" : "border-2 border-line-strong",
          )}
        />
        {!last && <span className={clsx("mt-1.5 w-0.5 flex-1", live ? "bg-accent" : "bg-line")} />}
      </span>
      <div className="pb-5">
        <p>{live ? <LivePeriod from={live.from} to={live.to} /> : <EventLine item={item} />}</p>
        <p className="text-ink-2 text-sm">
          {live && `${words.events[entry.event] ?? entry.event} `}
          {entry.actor && `${text.common.by} ${formatActor(entry)}`}
          {entry.generation !== null && `, ${words.generation(entry.generation)}`}
        </p>
        {entry.detail && <p className="mt-1 max-w-prose break-words text-sm">{entry.detail}</p>}
        {entry.remedy && <p className="max-w-prose break-words text-ink-2 text-sm">{entry.remedy}</p>}
      </div>
    </li>
  );
}

function LivePeriod({ from, to }: { from: string; to: string | undefined }) {
  const seconds = ((to ? Date.parse(to) : Date.now()) - Date.parse(from)) / 1000;
  return (
    <>
      <span className="font-medium">
        {words.from} <Time at={from} /> {words.to} {to ? <Time at={to} /> : words.stillLive}
      </span>
      <span className="ml-2 text-ink-2">{formatDuration(seconds)}</span>
    </>
  );
}

function EventLine({ item }: { item: TimelineItem }) {
  return (
    <>
      <span className="font-medium">{words.events[item.entry.event] ?? item.entry.event}</span>
      <span className="ml-2 text-ink-2">
        <Time at={item.entry.at} />
      </span>
    </>
  );
}
