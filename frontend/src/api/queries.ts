import { infiniteQueryOptions, queryOptions, skipToken } from "@tanstack/react-query";
import { api, unwrap } from "./client";
import { ProblemError } from "./problem";
import type { paths } from "./schema";

export type SortKey = NonNullable<NonNullable<paths["/api/v1/models"]["get"]["parameters"]["query"]>["sort"]>;

export interface ModelFilter {
  q?: string | undefined;
  type?: string | undefined;
  sort?: SortKey | undefined;
}

export interface HistoryFilter {
  /** Only entries of these kinds. */
  event?: string[] | undefined;
  model_id?: number | undefined;
}

const PAGE = 25;
const PICKER_LINES = 30;

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

/** The newest models whose name, version or description contains `q`, for pickers. */
export const modelSearchQuery = (q: string) =>
  queryOptions({
    queryKey: ["models", "search", q],
    queryFn: ({ signal }) =>
      unwrap(
        api.GET("/api/v1/models", {
          params: { query: { sort: "-created_at", limit: PICKER_LINES, ...dropEmpty({ q }) } },
          signal,
        }),
      ),
  });

/** The live model's row, or null. */
export const activeModelQuery = () =>
  queryOptions({
    queryKey: ["models", "active"],
    queryFn: async ({ signal }) => {
      const list = await unwrap(api.GET("/api/v1/models", { params: { query: { limit: 1 } }, signal }));
      return list.active_model;
    },
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

export const signatureQuery = (id: number) =>
  queryOptions({
    queryKey: ["models", "signature", id],
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/v1/models/{model_id}/signature", { params: { path: { model_id: id } }, signal })),
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

/** What was live at a moment; waits while there is none. */
export const liveModelAtQuery = (moment: Date | undefined) =>
  queryOptions({
    queryKey: ["history", "live-at", moment?.getTime()],
    queryFn: moment
      ? async ({ signal }) => {
          const query = { at: moment.toISOString(), limit: 1 };
          return (await unwrap(api.GET("/api/v1/history", { params: { query }, signal }))).live_at ?? null;
        }
      : skipToken,
  });

/** The types that models have, for the filter of the models page. */
export const modelTypesQuery = () =>
  queryOptions({
    queryKey: ["models", "types"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/models/types", { signal })),
  });

/** The model that a rollback goes back to, or null when no other model was live. */
export const rollbackTargetQuery = () =>
  queryOptions({
    queryKey: ["models", "rollback"],
    queryFn: async ({ signal }) => {
      try {
        return await unwrap(api.GET("/api/v1/models/rollback", { signal }));
      } catch (error) {
        if (error instanceof ProblemError && error.problem.code === "nothing_to_roll_back") return null;
        throw error;
      }
    },
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

/** The numbers of the last hour, without their course. */
export const lastHourQuery = () =>
  queryOptions({
    queryKey: ["metrics", "last hour"],
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/v1/metrics/summary", { params: { query: { minutes: 60, buckets: false } }, signal })),
    refetchInterval: 10_000,
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
