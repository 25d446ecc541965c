import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "../api/client";
import type { Operation, PoliciesUpdate } from "../api/types";
import { useOperationLog } from "../server-events/provider";

const REFRESH_MS = 15_000;

/** The policies and what they hold back. Asked again now and then: a request expires and a freeze begins unannounced. */
export const policiesQuery = () =>
  queryOptions({
    queryKey: ["policies"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/policies", { signal })),
    refetchInterval: REFRESH_MS,
  });

function useChange<Variables, Answer>(
  mutationFn: (variables: Variables) => Promise<Answer>,
  onAnswer: (answer: Answer) => void = () => {},
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess: onAnswer,
    // A refusal often means that somebody else has decided: what is shown is old then.
    onSettled: () => void client.invalidateQueries({ queryKey: ["policies"] }),
  });
}

export const useUpdatePolicies = () =>
  useChange((body: PoliciesUpdate) => unwrap(api.PATCH("/api/v1/policies", { body })));

export function useApprove(request_id: number) {
  const log = useOperationLog();
  return useChange(
    async () =>
      (await unwrap(
        api.POST("/api/v1/policies/requests/{request_id}/approve", {
          params: { path: { request_id }, query: { wait: false } },
        }),
      )) as Operation,
    (operation) => log.put(operation),
  );
}

export const useDecline = (request_id: number) =>
  useChange(() =>
    unwrap(api.POST("/api/v1/policies/requests/{request_id}/decline", { params: { path: { request_id } } })),
  );

export const useConfirm = (generation: number) =>
  useChange(() => unwrap(api.POST("/api/v1/policies/confirm", { params: { query: { generation } } })));
