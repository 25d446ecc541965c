import { useQuery } from "@tanstack/react-query";
import { modelQuery, reportQuery } from "../api/queries";
import type { ModelIdentity, Spec } from "../api/types";

interface AnsweringSpec {
  spec: Spec | undefined;
  pending: boolean;
}

/**
 * Returns the spec that an answer was computed with. It stays unknown when the model was deleted, its file replaced, or
 * its spec edited since: the answer then came from other thresholds.
 */
export function useAnsweringSpec(model: ModelIdentity | undefined): AnsweringSpec {
  const id = model?.model_id ?? 0;
  const report = useQuery({ ...reportQuery(id), enabled: model !== undefined });
  const detail = useQuery({ ...modelQuery(id), enabled: model !== undefined });
  const same = model !== undefined && detail.data?.digest === model.digest && !detail.data.spec_pending;
  return { spec: same ? report.data?.spec : undefined, pending: report.isPending || detail.isPending };
}
