import { useMutation, useQuery } from "@tanstack/react-query";
import { makeUnreachableProblem, ProblemError, parseProblem, toProblem } from "../api/problem";
import { clipsQuery } from "../api/queries";
import { formatClock } from "../format/numbers";
import { text } from "../text";
import { Button } from "../ui/button";
import { DropZone } from "../ui/drop-zone";
import { Skeleton } from "../ui/layout";
import { ProblemNotice, QueryFailure } from "../ui/notice";
import { type Clip, makeClip } from "./prediction-query";
import { Recorder } from "./recorder";

const words = text.tryIt.source;
const ACCEPT = "audio/*,video/webm,.wav,.flac,.ogg,.opus,.mp3,.m4a,.aac,.webm,.aiff,.aif";

interface Props {
  chosen: string | undefined;
  onClip: (clip: Clip) => void;
}

/** Offers a file, the microphone or a demo clip as the recording. */
export function ClipSource({ chosen, onClip }: Props) {
  return (
    <div className="grid gap-6 lg:grid-cols-2">
      <div className="space-y-3">
        <DropZone
          accept={ACCEPT}
          title={words.drop}
          hint={words.formats}
          choose={words.choose}
          onFiles={([first]) => first && onClip(makeClip(first.file.name, first.file))}
        />
        <Recorder onClip={onClip} />
      </div>
      <DemoClips chosen={chosen} onClip={onClip} />
    </div>
  );
}

async function fetchClip(url: string, name: string): Promise<Clip> {
  const answer = await fetch(url).catch(() => {
    throw new ProblemError(makeUnreachableProblem());
  });
  if (!answer.ok) throw new ProblemError(parseProblem(await answer.json().catch(() => null), answer.status));
  return makeClip(name, await answer.blob());
}

function DemoClips({ chosen, onClip }: Props) {
  const clips = useQuery(clipsQuery());
  const fetching = useMutation({
    mutationFn: (clip: { url: string; name: string }) => fetchClip(clip.url, clip.name),
    onSuccess: onClip,
  });
  return (
    <div>
      <h2 className="mb-2 font-medium text-sm">{words.clips}</h2>
      {clips.error && <QueryFailure error={clips.error} onRetry={() => void clips.refetch()} />}
      {clips.isPending && <Skeleton className="h-20 w-full" />}
      {clips.data?.clips.length === 0 && <p className="text-ink-2 text-sm">{words.noClips}</p>}
      <ul className="flex flex-wrap gap-2">
        {clips.data?.clips.map((clip) => (
          <li key={clip.name}>
            <Button
              aria-pressed={chosen === clip.name}
              className="aria-pressed:border-accent aria-pressed:bg-accent-soft"
              onClick={() => fetching.mutate(clip)}
            >
              {clip.title}
              <span className="font-normal text-ink-3">{formatClock(clip.seconds, 0)}</span>
            </Button>
          </li>
        ))}
      </ul>
      {fetching.error && (
        <div className="mt-3">
          <ProblemNotice problem={toProblem(fetching.error)} />
        </div>
      )}
    </div>
  );
}
