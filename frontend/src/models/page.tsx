import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { ActivateDialog } from "../activation/activate-dialog";
import { type ModelFilter, modelsQuery } from "../api/queries";
import type { Model } from "../api/types";
import type { NamedFile } from "../browser/named-files";
import { useFileDrop } from "../browser/use-file-drop";
import { RegisterDialog } from "../registration/register-dialog";
import { text } from "../text";
import { Button } from "../ui/button";
import { Page, Section } from "../ui/layout";
import { Empty, QueryFailure } from "../ui/notice";
import { DeleteDialog } from "./delete-dialog";
import { EditDialog } from "./edit-dialog";
import { LiveModelPanel } from "./live-model-panel";
import { DEFAULT_SORT } from "./search-params";
import { type ModelAction, ModelTable } from "./table";
import { TableSkeleton } from "./table-skeleton";
import { Toolbar } from "./toolbar";

const route = getRouteApi("/");

type Opened = { action: ModelAction; model: Model } | { action: "register"; files?: NamedFile[] };

export function ModelsPage() {
  const filter = route.useSearch();
  const navigate = route.useNavigate();
  const setFilter = useCallback(
    (search: ModelFilter) => void navigate({ search, replace: true, resetScroll: false }),
    [navigate],
  );
  const [opened, setOpened] = useState<Opened>();
  const query = useInfiniteQuery({
    ...modelsQuery({ ...filter, sort: filter.sort ?? DEFAULT_SORT }),
    placeholderData: (before) => before,
  });
  const dragging = useFileDrop((files) => setOpened({ action: "register", files }), opened === undefined);
  const pages = query.data?.pages ?? [];
  const models = pages.flatMap((page) => page.models);
  const active = pages[0]?.active_model;
  const total = pages[0]?.total ?? 0;
  const filtered = Boolean(filter.q || filter.type);
  const close = () => setOpened(undefined);

  return (
    <Page>
      <h1 className="sr-only">{text.models.title}</h1>
      {(query.data || query.isPending) && <LiveModelPanel active={active} loading={query.isPending} />}
      <Section
        title={text.models.list.heading}
        lead={
          <span className="block min-h-5" aria-live="polite">
            {query.data && (filtered ? text.models.list.found(total) : text.models.list.shown(models.length, total))}
          </span>
        }
        actions={
          <Button action="edit" onClick={() => setOpened({ action: "register" })}>
            {text.models.actions.register}
          </Button>
        }
      >
        <Toolbar filter={filter} onChange={setFilter} />
        {query.error && <QueryFailure error={query.error} onRetry={() => void query.refetch()} />}
        {query.isPending && <TableSkeleton />}
        {query.data && models.length === 0 && (
          <EmptyTable
            filtered={filtered}
            onClear={() => setFilter({})}
            onRegister={() => setOpened({ action: "register" })}
          />
        )}
        {models.length > 0 && (
          <ModelTable
            models={models}
            sort={filter.sort ?? DEFAULT_SORT}
            onSort={(sort) => setFilter({ ...filter, sort })}
            onAction={(action, model) => setOpened({ action, model })}
          />
        )}
        {query.hasNextPage && (
          <div className="mt-4 flex justify-center">
            <Button disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              {text.models.list.more}
            </Button>
          </div>
        )}
      </Section>
      {dragging && (
        <div className="pointer-events-none fixed inset-3 z-40 flex items-center justify-center rounded-xl border-2 border-accent border-dashed bg-accent-soft font-semibold text-lg">
          {text.models.dropAnywhere}
        </div>
      )}
      {opened?.action === "register" && <RegisterDialog dropped={opened.files} onClose={close} />}
      {opened?.action === "activate" && <ActivateDialog model={opened.model} active={active ?? null} onClose={close} />}
      {opened?.action === "edit" && <EditDialog model={opened.model} onClose={close} />}
      {opened?.action === "remove" && <DeleteDialog model={opened.model} onClose={close} />}
    </Page>
  );
}

interface NothingProps {
  filtered: boolean;
  onClear: () => void;
  onRegister: () => void;
}

function EmptyTable({ filtered, onClear, onRegister }: NothingProps) {
  const words = text.models.list;
  return filtered ? (
    <Empty title={words.noMatchTitle} action={<Button onClick={onClear}>{words.clear}</Button>}>
      {words.noMatch}
    </Empty>
  ) : (
    <Empty
      title={words.emptyTitle}
      action={
        <Button action="edit" look="primary" onClick={onRegister}>
          {text.models.actions.register}
        </Button>
      }
    >
      {words.empty}
    </Empty>
  );
}
