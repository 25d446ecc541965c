import { queryOptions, skipToken } from "@tanstack/react-query";
import { api, unwrap } from "../api/client";
import { makeUnreachableProblem, ProblemError, parseProblem } from "../api/problem";
import type { Prediction } from "../api/types";
import type { ModelChoice } from "../models/model-select";

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

function requestPrediction(clip: Clip, modelId: number | undefined, signal: AbortSignal): Promise<Prediction> {
  return unwrap(
    api.POST("/api/v1/predict", {
      params: { query: modelId === undefined ? {} : { model_id: modelId } },
      body: { audio_file: clip.name },
      bodySerializer: () => {
        const form = new FormData();
        form.append("audio_file", clip.blob, clip.name);
        return form;
      },
      signal,
    }),
  );
}

/** The prediction of a clip by a model. The query waits until both are chosen. */
export const predictionQuery = (clip: Clip | undefined, choice: ModelChoice) => {
  const modelId = choice === "live" ? undefined : choice;
  return queryOptions({
    queryKey: ["prediction", clip?.key, choice],
    queryFn: clip && choice !== undefined ? ({ signal }) => requestPrediction(clip, modelId, signal) : skipToken,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
};
