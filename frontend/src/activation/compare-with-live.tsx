import { useQuery } from "@tanstack/react-query";
import { reportQuery } from "../api/queries";
import type { Model } from "../api/types";
import { ModelComparison } from "./model-comparison";

interface Props {
  model: Model;
  active: Model | null;
}

/** Compares a model with the live one, by what their compile reports say of input, labels and thresholds. */
export function CompareWithLive({ model, active }: Props) {
  const next = useQuery({ ...reportQuery(model.model_id), enabled: model.compile_state === "ready" }).data;
  const present = useQuery({ ...reportQuery(active?.model_id ?? 0), enabled: active !== null }).data;
  return <ModelComparison present={active} next={model} presentSpec={present?.spec} nextSpec={next?.spec} />;
}
