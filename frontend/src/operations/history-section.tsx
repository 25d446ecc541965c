import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { type HistoryFilter, historyQuery, modelChoicesQuery } from "../api/queries";
import type { HistoryEntry } from "../api/types";
import { useMediaQuery } from "../browser/use-media-query";
import { Time } from "../format/time";
import { text } from "../text";
import { Button } from "../ui/button";
import { SelectField } from "../ui/field";
import { Panel, Section, Skeleton } from "../ui/layout";
import { QueryFailure } from "../ui/notice";

const words = text.operations.history;
const events = text.modelDetail.history.events;

/** The history of all models, newest first. */
export function HistorySection() {
  const [filter, setFilter] = useState<HistoryFilter>({});
  const query = useInfiniteQuery({ ...historyQuery(filter), placeholderData: (before) => before });
  const entries = query.data?.pages.flatMap((page) => page.entries);
  return (
    <Section title={words.title} actions={<Filters filter={filter} onChange={setFilter} />}>
      {query.error && <QueryFailure error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Skeleton className="h-64 w-full" />}
      {entries?.length === 0 && <p className="text-ink-2 text-sm">{words.none}</p>}
      {entries && entries.length > 0 && <Entries entries={entries} />}
      {query.hasNextPage && (
        <div className="mt-4 flex justify-center">
          <Button disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {words.more}
          </Button>
        </div>
      )}
    </Section>
  );
}

function Filters({ filter, onChange }: { filter: HistoryFilter; onChange: (filter: HistoryFilter) => void }) {
  const models = useQuery(modelChoicesQuery()).data?.models ?? [];
  return (
    <div className="flex flex-wrap gap-3">
      <SelectField
        label={words.event}
        hideLabel
        className="w-40"
        value={filter.event ?? ""}
        onChange={(event) => onChange({ ...filter, event: event.target.value || undefined })}
      >
        <option value="">{words.anyEvent}</option>
        {Object.entries(events).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </SelectField>
      <SelectField
        label={words.model}
        hideLabel
        className="w-52"
        value={filter.model_id ?? ""}
        onChange={(event) => onChange({ ...filter, model_id: Number(event.target.value) || undefined })}
      >
        <option value="">{words.anyModel}</option>
        {models.map((model) => (
          <option key={model.model_id} value={model.model_id}>
            {model.model_name}
          </option>
        ))}
      </SelectField>
    </div>
  );
}

function Entries({ entries }: { entries: readonly HistoryEntry[] }) {
  const roomy = useMediaQuery("(min-width: 56rem)");
  return roomy ? <EntryTable entries={entries} /> : <EntryList entries={entries} />;
}

const formatNote = (entry: HistoryEntry) =>
  entry.detail ?? (entry.generation === null ? "" : words.generation(entry.generation));

function EntryList({ entries }: { entries: readonly HistoryEntry[] }) {
  return (
    <ul className="divide-y divide-line rounded-xl border border-line bg-surface text-sm">
      {entries.map((entry) => (
        <li key={entry.history_id} className="px-4 py-3">
          <p className="flex flex-wrap justify-between gap-x-4">
            <span>
              <EventName entry={entry} /> <ModelName entry={entry} />
            </span>
            <span className="text-ink-2">
              <Time at={entry.at} form="exact" />
            </span>
          </p>
          <p className="break-words text-ink-2">
            {entry.actor && `${text.common.by} ${text.common.actors[entry.actor] ?? entry.actor}. `}
            {formatNote(entry)}
          </p>
        </li>
      ))}
    </ul>
  );
}

function EventName({ entry }: { entry: HistoryEntry }) {
  return <span className={entry.event === "refused" ? "text-danger" : ""}>{events[entry.event] ?? entry.event}</span>;
}

function EntryTable({ entries }: { entries: readonly HistoryEntry[] }) {
  const columns = Object.values(words.columns);
  return (
    <Panel className="overflow-hidden">
      <table className="w-full text-sm">
        <thead className="border-line border-b text-left text-ink-2">
          <tr>
            {columns.map((name) => (
              <th key={name} scope="col" className="px-4 py-3 font-medium first:pl-5 last:pr-5">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={entry.history_id} className="border-line border-t align-top first:border-t-0">
              <td className="py-2.5 pr-4 pl-5 text-ink-2">
                <Time at={entry.at} form="exact" />
              </td>
              <td className="px-4 py-2.5">
                <EventName entry={entry} />
              </td>
              <td className="min-w-36 px-4 py-2.5">
                <ModelName entry={entry} />
              </td>
              <td className="whitespace-nowrap px-4 py-2.5 text-ink-2">
                {entry.actor && (text.common.actors[entry.actor] ?? entry.actor)}
              </td>
              <td className="min-w-56 px-4 py-2.5 pr-5 text-ink-2">{formatNote(entry)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

function ModelName({ entry }: { entry: HistoryEntry }) {
  const name = entry.model_name ?? (entry.model_id === null ? "–" : `#${entry.model_id}`);
  if (entry.model_id === null || entry.event === "deleted") return name;
  return (
    <Link
      to="/models/$id"
      params={{ id: String(entry.model_id) }}
      className="font-medium underline-offset-4 hover:underline"
    >
      {name}
    </Link>
  );
}
