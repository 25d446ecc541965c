import { Link } from "@tanstack/react-router";
import type { SortKey } from "../api/queries";
import type { Model } from "../api/types";
import { useMediaQuery } from "../browser/use-media-query";
import { formatBytes, formatPercent } from "../format/numbers";
import { Time } from "../format/time";
import { text } from "../text";
import { Button } from "../ui/button";
import { ArrowDownIcon, ArrowUpIcon } from "../ui/icons";
import { Panel } from "../ui/layout";
import { Menu } from "../ui/menu";
import { getModelState, getStateReason, ModelStateMark } from "./model-state";
import { getNextSort } from "./search-params";

export type ModelAction = "activate" | "edit" | "remove";

interface Props {
  models: readonly Model[];
  sort: SortKey;
  onSort: (sort: SortKey) => void;
  onAction: (action: ModelAction, model: Model) => void;
}

/** The registered models: a table on wide screens, cards on narrow ones. */
export function ModelTable(props: Props) {
  const roomy = useMediaQuery("(min-width: 56rem)");
  return roomy ? <Table {...props} /> : <Cards {...props} />;
}

const columns = text.models.list.columns;

function Table({ models, sort, onSort, onAction }: Props) {
  return (
    <Panel className="overflow-x-auto">
      <table className="w-full text-sm">
        <thead className="border-line border-b text-left text-ink-2">
          <tr>
            <Heading title={columns.model} first="name" sort={sort} onSort={onSort} />
            <Heading title={columns.type} first="type" sort={sort} onSort={onSort} />
            <Heading title={columns.accuracy} first="-accuracy" sort={sort} onSort={onSort} numeric />
            <th scope="col" className="px-3 py-3 text-right font-medium">
              {columns.size}
            </th>
            <Heading title={columns.created} first="-created_at" sort={sort} onSort={onSort} />
            <th scope="col" className="px-3 py-3 font-medium">
              {columns.state}
            </th>
            <th scope="col" className="px-3 py-3">
              <span className="sr-only">{columns.actions}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <tr key={model.model_id} className="border-line border-t first:border-t-0">
              <td className="max-w-0 py-3 pr-3 pl-5" style={{ width: "36%" }}>
                <NameAndVersion model={model} />
              </td>
              <td className="max-w-40 truncate px-3 py-3 text-ink-2" title={model.model_type ?? undefined}>
                {model.model_type}
              </td>
              <td className="px-3 py-3 text-right">{model.accuracy === null ? "–" : formatPercent(model.accuracy)}</td>
              <td className="whitespace-nowrap px-3 py-3 text-right">
                {model.file_bytes === null ? "–" : formatBytes(model.file_bytes)}
              </td>
              <td className="px-3 py-3 text-ink-2">{model.created_at && <Time at={model.created_at} />}</td>
              <td className="px-3 py-3">
                <ModelStateMark state={getModelState(model)} reason={getStateReason(model)} />
              </td>
              <td className="py-3 pr-4 pl-3">
                <RowActions model={model} onAction={onAction} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

interface HeadingProps {
  title: string;
  first: SortKey;
  sort: SortKey;
  onSort: (sort: SortKey) => void;
  numeric?: boolean;
}

function Heading({ title, first, sort, onSort, numeric = false }: HeadingProps) {
  const column = first.replace("-", "");
  const ascending = sort === column;
  const descending = sort === `-${column}`;
  const arrow = (
    <span className="w-3 text-accent">{ascending ? <ArrowUpIcon /> : descending && <ArrowDownIcon />}</span>
  );
  return (
    <th
      scope="col"
      aria-sort={ascending ? "ascending" : descending ? "descending" : undefined}
      className={`p-0 font-medium ${numeric ? "text-right" : ""}`}
    >
      <button
        type="button"
        title={text.models.list.sortBy(title)}
        onClick={() => onSort(getNextSort(sort, first))}
        className={`inline-flex items-center gap-1 rounded px-3 py-3 hover:text-ink ${column === "name" ? "pl-5" : ""}`}
      >
        {numeric && arrow}
        {title}
        {!numeric && arrow}
      </button>
    </th>
  );
}

function Cards({ models, onAction }: Props) {
  return (
    <ul className="space-y-3">
      {models.map((model) => (
        <li key={model.model_id}>
          <Panel className="p-4">
            <div className="flex items-start justify-between gap-3">
              <NameAndVersion model={model} />
              <ModelStateMark state={getModelState(model)} reason={getStateReason(model)} />
            </div>
            <div className="mt-2 flex items-end justify-between gap-3">
              <p className="flex flex-wrap gap-x-4 gap-y-1 text-ink-2 text-sm">
                {model.accuracy !== null && <span>{formatPercent(model.accuracy)}</span>}
                {model.model_type && (
                  <span title={model.model_type} className="max-w-48 truncate">
                    {model.model_type}
                  </span>
                )}
                {model.file_bytes !== null && <span>{formatBytes(model.file_bytes)}</span>}
                {model.created_at && <Time at={model.created_at} />}
              </p>
              <RowActions model={model} onAction={onAction} />
            </div>
          </Panel>
        </li>
      ))}
    </ul>
  );
}

function NameAndVersion({ model }: { model: Model }) {
  const reason = getStateReason(model);
  return (
    <div className="min-w-0">
      <p className="line-clamp-3 break-words" title={model.model_name}>
        <Link
          to="/models/$id"
          params={{ id: String(model.model_id) }}
          className="font-medium underline-offset-4 hover:underline"
        >
          <bdi>{model.model_name}</bdi>
        </Link>
        {model.version && <span className="ml-2 text-ink-3">{model.version}</span>}
      </p>
      {reason && <p className="mt-0.5 line-clamp-2 text-ink-2 text-sm">{reason}</p>}
    </div>
  );
}

function RowActions({ model, onAction }: { model: Model; onAction: Props["onAction"] }) {
  return (
    <div className="flex items-center justify-end gap-1">
      {!model.is_active && (
        <Button
          action="activate"
          small
          aria-label={text.models.actions.activateLabel(model.model_name)}
          onClick={() => onAction("activate", model)}
        >
          {text.models.actions.activate}
        </Button>
      )}
      <Menu
        label={text.models.list.menu(model.model_name)}
        items={[
          { label: text.models.actions.edit, onSelect: () => onAction("edit", model), action: "edit" },
          {
            label: text.models.actions.remove,
            onSelect: () => onAction("remove", model),
            danger: true,
            action: "edit",
          },
        ]}
      />
    </div>
  );
}
