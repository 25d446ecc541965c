import { queryOptions, skipToken } from "@tanstack/react-query";
import { makeUnreachableProblem, ProblemError, parseProblem } from "../api/problem";
import type { ModelChoice } from "../models/model-select";
import type { PartialPrediction } from "./partial-prediction";
import { type RequestPhase, requestPrediction } from "./prediction-request";

/** A recording to predict. `key` is unique. */
export interface Clip {
  key: string;
  name: string;
  blob: Blob;
}

let clips = 0;

export function makeClip(name: string, blob: Blob): Clip {
  clips += 1;
  return { key: `${clips}`, name, blob };
}

/** The recording of a demo clip, under the key of its address, so that the same clip is predicted once. */
export const demoClipQuery = (clip: { name: string; url: string } | undefined) =>
  queryOptions({
    queryKey: ["demo-clip", clip?.url],
    queryFn: clip
      ? async (): Promise<Clip> => ({ key: clip.url, name: clip.name, blob: await fetchBlob(clip.url) })
      : skipToken,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });

async function fetchBlob(url: string): Promise<Blob> {
  const answer = await fetch(url).catch(() => {
    throw new ProblemError(makeUnreachableProblem());
  });
  if (!answer.ok) throw new ProblemError(parseProblem(await answer.json().catch(() => null), answer.status));
  return answer.blob();
}

/** How far the request of a prediction is. `predictionQuery` writes it. */
export const phaseQuery = (clip: Clip, choice: ModelChoice) =>
  queryOptions<RequestPhase>({ queryKey: ["prediction-phase", clip.key, choice], queryFn: skipToken });

/** The windows of a prediction that is being computed; null where none is. `predictionQuery` writes it. */
export const partialQuery = (clip: Clip, choice: ModelChoice) =>
  queryOptions<PartialPrediction | null>({
    queryKey: ["partial-prediction", clip.key, choice],
    queryFn: skipToken,
    // The list of windows grows in place.
    structuralSharing: false,
  });

/** The prediction of a clip by a model. The query waits until both are chosen. */
export const predictionQuery = (clip: Clip | undefined, choice: ModelChoice) => {
  const modelId = choice === "live" ? undefined : choice;
  return queryOptions({
    queryKey: ["prediction", clip?.key, choice],
    queryFn:
      clip && choice !== undefined
        ? ({ signal, client }) => {
            const showPartial = (partial: PartialPrediction | null) =>
              void client.setQueryData(partialQuery(clip, choice).queryKey, partial);
            showPartial(null);
            return requestPrediction(clip, modelId, signal, {
              onPhase: (phase) => client.setQueryData(phaseQuery(clip, choice).queryKey, phase),
              onPartial: showPartial,
            }).finally(() => showPartial(null));
          }
        : skipToken,
    // A comparison with the answer before takes long, and nothing reads its outcome.
    structuralSharing: false,
    // A cancelled request stays cancelled.
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
};
