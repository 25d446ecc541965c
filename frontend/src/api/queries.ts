import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "./client";
import type { paths } from "./schema";

export type SortKey = NonNullable<NonNullable<paths["/api/v1/models"]["get"]["parameters"]["query"]>["sort"]>;

export interface ModelFilter {
  q?: string | undefined;
  type?: string | undefined;
  sort?: SortKey | undefined;
}

export interface HistoryFilter {
  event?: string | undefined;
  model_id?: number | undefined;
}

const PAGE = 25;

export const modelsQuery = (filter: ModelFilter) =>
  infiniteQueryOptions({
    queryKey: ["models", "list", filter],
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET("/api/v1/models", {
          params: { query: { ...dropEmpty(filter), limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });

/** The newest 100 models, for select fields. The models page has search and paging. */
export const modelChoicesQuery = () =>
  queryOptions({
    queryKey: ["models", "choices"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/models", { params: { query: { limit: 100 } }, signal })),
  });

export const modelQuery = (id: number) =>
  queryOptions({
    queryKey: ["models", "one", id],
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/v1/models/{model_id}", { params: { path: { model_id: id } }, signal })),
  });

/** Asks again every two seconds while the examples wait to be run. */
export const examplesQuery = (id: number) =>
  queryOptions({
    queryKey: ["models", "examples", id],
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/v1/models/{model_id}/examples", { params: { path: { model_id: id } }, signal })),
    refetchInterval: ({ state }) => (state.data?.summary.state === "pending" ? 2000 : false),
  });

export const reportQuery = (id: number) =>
  queryOptions({
    queryKey: ["models", "report", id],
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/v1/models/{model_id}/report", { params: { path: { model_id: id } }, signal })),
    retry: false,
  });

export const modelHistoryQuery = (id: number) =>
  queryOptions({
    queryKey: ["models", "history", id],
    queryFn: ({ signal }) =>
      unwrap(
        api.GET("/api/v1/models/{model_id}/history", {
          params: { path: { model_id: id }, query: { limit: 100 } },
          signal,
        }),
      ),
  });

export const historyQuery = (filter: HistoryFilter) =>
  infiniteQueryOptions({
    queryKey: ["history", filter],
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET("/api/v1/history", {
          params: { query: { ...dropEmpty(filter), limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });

export const filesQuery = () =>
  queryOptions({
    queryKey: ["models", "files"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/models/files", { signal })),
  });

export const operationQuery = (id: string) =>
  queryOptions({
    queryKey: ["operation", id],
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/v1/operations/{operation_id}", { params: { path: { operation_id: id } }, signal })),
  });

export const statusQuery = () =>
  queryOptions({
    queryKey: ["status"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/status", { signal })),
  });

export const clipsQuery = () =>
  queryOptions({
    queryKey: ["demo-clips"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/demo-clips", { signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const metricsQuery = (minutes: number) =>
  queryOptions({
    queryKey: ["metrics", minutes],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/metrics/summary", { params: { query: { minutes } }, signal })),
  });

function dropEmpty<T extends object>(filter: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const kept = Object.entries(filter).filter(([, value]) => value !== undefined && value !== "");
  return Object.fromEntries(kept) as { [K in keyof T]?: NonNullable<T[K]> };
}
