import { useQuery } from "@tanstack/react-query";
import { statusQuery } from "../api/queries";
import type { ModelIdentity, Prediction } from "../api/types";
import type { ModelChoice } from "../models/model-select";

/** Returns the live model when the answer is that of an earlier live one, otherwise undefined. */
export function useNewerLiveModel({ generation }: Prediction, choice: ModelChoice): ModelIdentity | undefined {
  const live = useQuery(statusQuery()).data?.live;
  return choice === "live" && live && generation !== null && live.generation > generation ? live.model : undefined;
}
