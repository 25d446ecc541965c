import { useQuery } from "@tanstack/react-query";
import { ProblemError } from "../api/problem";
import { clipsQuery } from "../api/queries";
import { text } from "../text";
import { type Clip, demoClipQuery } from "./prediction-query";

export interface ChosenClip {
  clip: Clip | undefined;
  loading: boolean;
  error: unknown;
  retry: () => void;
}

/** Returns the recording to show: the user's own, else the demo clip that the address names. */
export function useChosenClip(own: Clip | undefined, demo: string | undefined): ChosenClip {
  const wanted = own ? undefined : demo;
  const list = useQuery(clipsQuery());
  const found = list.data?.clips.find(({ name }) => name === wanted);
  const fetched = useQuery(demoClipQuery(found));
  const absent = wanted !== undefined && list.data && !found ? makeAbsence(wanted) : null;
  return {
    clip: own ?? (found ? fetched.data : undefined),
    loading: wanted !== undefined && (list.isPending || (found !== undefined && fetched.isPending)),
    error: wanted === undefined ? null : (absent ?? fetched.error),
    retry: () => void fetched.refetch(),
  };
}

const makeAbsence = (name: string): ProblemError =>
  new ProblemError({ type: "about:blank", code: "no_such_clip", status: 404, ...text.tryIt.source.noSuchClip(name) });
