import { useQuery } from "@tanstack/react-query";
import { clipsQuery } from "../api/queries";
import type { NamedFile } from "../browser/named-files";
import { formatClock } from "../format/numbers";
import { text } from "../text";
import { Button } from "../ui/button";
import { DropZone } from "../ui/drop-zone";
import { Skeleton } from "../ui/layout";
import { QueryFailure } from "../ui/notice";
import type { Clip } from "./prediction-query";
import { Recorder } from "./recorder";

const words = text.tryIt.source;
const ACCEPT = "audio/*,video/webm,.wav,.flac,.ogg,.opus,.mp3,.m4a,.aac,.webm,.aiff,.aif";

interface Props {
  /** File name of the demo clip that is shown. */
  chosen: string | undefined;
  onFiles: (files: NamedFile[]) => void;
  onRecording: (clip: Clip) => void;
  onDemo: (name: string) => void;
}

/** Offers files, a folder, the microphone or a demo clip as the recording. */
export function ClipSource({ chosen, onFiles, onRecording, onDemo }: Props) {
  return (
    <div className="grid gap-6 lg:grid-cols-2">
      <div className="space-y-3">
        <DropZone
          multiple
          accept={ACCEPT}
          title={words.drop}
          hint={words.formats}
          choose={words.choose}
          onFiles={onFiles}
        />
        <Recorder onClip={onRecording} />
      </div>
      <DemoClips chosen={chosen} onDemo={onDemo} />
    </div>
  );
}

function DemoClips({ chosen, onDemo }: Pick<Props, "chosen" | "onDemo">) {
  const clips = useQuery(clipsQuery());
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
              onClick={() => onDemo(clip.name)}
            >
              {clip.title}
              <span className="font-normal text-ink-3">{formatClock(clip.seconds, 0)}</span>
            </Button>
          </li>
        ))}
      </ul>
    </div>
  );
}
