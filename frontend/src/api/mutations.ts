import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useOperationLog } from "../server-events/provider";
import { api, unwrap } from "./client";
import type { ModelCreate, ModelUpdate, Operation } from "./types";

/** Fetches the models again without waiting for the server's event. */
function useRefresh() {
  const client = useQueryClient();
  return () => {
    void client.invalidateQueries({ queryKey: ["models"] });
    void client.invalidateQueries({ queryKey: ["history"] });
    void client.invalidateQueries({ queryKey: ["status"] });
  };
}

export interface Activation {
  id: number;
  /** Permits a model that cannot score recordings. */
  tensorsOnly: boolean;
  /** Why; it stands in the history. */
  reason?: string | undefined;
  /** Activates in a freeze too, for the reason. */
  overrideFreeze?: boolean;
}

export function useActivate() {
  const client = useQueryClient();
  const log = useOperationLog();
  return useMutation({
    mutationFn: async ({ id, tensorsOnly, reason, overrideFreeze }: Activation) =>
      (await unwrap(
        api.POST("/api/v1/models/{model_id}/activate", {
          params: {
            path: { model_id: id },
            query: {
              wait: false,
              tensors_only: tensorsOnly,
              ...(reason && { reason }),
              ...(overrideFreeze && { override_freeze: true }),
            },
          },
        }),
      )) as Operation,
    onSuccess: (operation) => log.put(operation),
    // It may wait for a second person now.
    onError: () => void client.invalidateQueries({ queryKey: ["policies"] }),
  });
}

export function useRollback() {
  const client = useQueryClient();
  const log = useOperationLog();
  return useMutation({
    mutationFn: async (reason: string | undefined) =>
      (await unwrap(
        api.POST("/api/v1/models/rollback", { params: { query: { wait: false, ...(reason && { reason }) } } }),
      )) as Operation,
    onSuccess: (operation) => log.put(operation),
    onError: () => void client.invalidateQueries({ queryKey: ["policies"] }),
  });
}

export interface Registration {
  model: ModelCreate;
  /** The form of the model's examples. */
  examples?: FormData | undefined;
}

export function useRegister() {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: ({ model, examples }: Registration) => {
      examples?.set("model", JSON.stringify(model));
      return unwrap(api.POST("/api/v1/models", { body: examples ? (examples as never) : model }));
    },
    onSuccess: refresh,
  });
}

export function useSetExamples(id: number) {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: (form: FormData) =>
      unwrap(
        api.PUT("/api/v1/models/{model_id}/examples", { params: { path: { model_id: id } }, body: form as never }),
      ),
    onSuccess: refresh,
  });
}

export function useRemoveExamples(id: number) {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: () => unwrap(api.DELETE("/api/v1/models/{model_id}/examples", { params: { path: { model_id: id } } })),
    onSuccess: refresh,
  });
}

export function useUpdate(id: number) {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: (body: ModelUpdate) =>
      unwrap(api.PATCH("/api/v1/models/{model_id}", { params: { path: { model_id: id } }, body })),
    onSuccess: refresh,
  });
}

/** Compiles a model again that was refused. */
export function useCompile() {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: (id: number) =>
      unwrap(api.POST("/api/v1/models/{model_id}/compile", { params: { path: { model_id: id } } })),
    onSuccess: refresh,
  });
}

export function useDelete() {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: (id: number) => unwrap(api.DELETE("/api/v1/models/{model_id}", { params: { path: { model_id: id } } })),
    onSuccess: refresh,
  });
}
