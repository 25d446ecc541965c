import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { historyQuery } from "../api/queries";
import type { HistoryEntry } from "../api/types";
import { useMediaQuery } from "../browser/use-media-query";
import { formatActor } from "../format/actor";
import { Time } from "../format/time";
import { ModelFilterField } from "../models/model-select";
import { text } from "../text";
import { Button } from "../ui/button";
import { SelectField } from "../ui/field";
import { Panel, Section, Skeleton } from "../ui/layout";
import { QueryFailure } from "../ui/notice";
import { buildHistoryRows, getEvents, type HistoryRow, type HistoryView } from "./history-rows";

const words = text.operations.history;
const events = text.modelDetail.history.events;

interface Filter {
  view: HistoryView;
  modelId: number | undefined;
}

/** The history of all models, newest first: one row for each switch of the live model. */
export function HistorySection() {
  const [filter, setFilter] = useState<Filter>({ view: "changes", modelId: undefined });
  const query = useInfiniteQuery({
    ...historyQuery({ event: getEvents(filter.view), model_id: filter.modelId }),
    placeholderData: (before) => before,
  });
  const entries = query.data?.pages.flatMap((page) => page.entries);
  const rows = entries && buildHistoryRows(entries, filter.view);
  return (
    <Section title={words.title} actions={<Filters filter={filter} onChange={setFilter} />}>
      {query.error && <QueryFailure error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Skeleton className="h-64 w-full" />}
      {rows?.length === 0 && <p className="text-ink-2 text-sm">{words.none}</p>}
      {rows && rows.length > 0 && <Rows rows={rows} />}
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

function Filters({ filter, onChange }: { filter: Filter; onChange: (filter: Filter) => void }) {
  return (
    <div className="flex flex-wrap gap-3">
      <SelectField
        label={words.event}
        hideLabel
        className="w-52"
        value={filter.view}
        onChange={(event) => onChange({ ...filter, view: event.target.value })}
      >
        {Object.entries({ ...words.views, ...events }).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </SelectField>
      <ModelFilterField
        label={words.model}
        value={filter.modelId}
        onChange={(modelId) => onChange({ ...filter, modelId })}
      />
    </div>
  );
}

function Rows({ rows }: { rows: readonly HistoryRow[] }) {
  const roomy = useMediaQuery("(min-width: 56rem)");
  return roomy ? <RowTable rows={rows} /> : <RowList rows={rows} />;
}

const formatNote = ({ detail, generation }: HistoryEntry) => {
  if (generation === null) return detail ?? "";
  return [detail?.replace(/\.$/, ""), words.generation(generation)].filter(Boolean).join(". ");
};

function RowList({ rows }: { rows: readonly HistoryRow[] }) {
  return (
    <ul className="divide-y divide-line rounded-xl border border-line bg-surface text-sm">
      {rows.map((row) => (
        <li key={row.entry.history_id} className="px-4 py-3">
          <p className="flex flex-wrap justify-between gap-x-4">
            <What row={row} />
            <span className="text-ink-2">
              <Time at={row.entry.at} form="exact" />
            </span>
          </p>
          <p className="break-words text-ink-2">
            {row.entry.actor && `${text.common.by} ${formatActor(row.entry)}. `}
            {formatNote(row.entry)}
          </p>
        </li>
      ))}
    </ul>
  );
}

function RowTable({ rows }: { rows: readonly HistoryRow[] }) {
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
          {rows.map((row) => (
            <tr key={row.entry.history_id} className="border-line border-t align-top first:border-t-0">
              <td className="whitespace-nowrap py-2.5 pr-4 pl-5 text-ink-2">
                <Time at={row.entry.at} form="exact" />
              </td>
              <td className="max-w-0 break-words px-4 py-2.5" style={{ width: "34%" }}>
                <What row={row} />
              </td>
              <td className="max-w-0 break-words px-4 py-2.5 text-ink-2" style={{ width: "22%" }}>
                {formatActor(row.entry)}
              </td>
              <td className="max-w-0 break-words px-4 py-2.5 pr-5 text-ink-2" style={{ width: "26%" }}>
                {formatNote(row.entry)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

/** Says what happened: "Activated Starter → Head" for a switch. */
function What({ row: { entry, replaced } }: { row: HistoryRow }) {
  return (
    <span className="min-w-0">
      <span className={entry.event === "refused" ? "text-danger" : "text-ink-2"}>
        {events[entry.event] ?? entry.event}
      </span>{" "}
      {replaced && (
        <>
          <ModelName entry={replaced} />
          <span aria-hidden="true"> → </span>
          <span className="sr-only"> {words.replacedBy} </span>
        </>
      )}
      <ModelName entry={entry} />
    </span>
  );
}

function ModelName({ entry }: { entry: HistoryEntry }) {
  const name = entry.model_name ?? (entry.model_id === null ? "–" : `#${entry.model_id}`);
  if (entry.model_id === null || entry.event === "deleted") return <bdi>{name}</bdi>;
  return (
    <Link
      to="/models/$id"
      params={{ id: String(entry.model_id) }}
      className="font-medium underline-offset-4 hover:underline"
    >
      <bdi>{name}</bdi>
    </Link>
  );
}
