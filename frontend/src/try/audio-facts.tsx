import clsx from "clsx";
import type { Prediction } from "../api/types";
import { formatClock, formatCount } from "../format/numbers";
import { text } from "../text";
import { Fact, Facts, Panel } from "../ui/layout";

const words = text.tryIt.result;

/** Shows the recording's facts: duration, source, level and peak. */
export function AudioFacts({ audio, wide }: { audio: Prediction["audio"]; wide: boolean }) {
  const level = (value: number | null) => (value === null ? words.silence : text.common.dbfs(value));
  return (
    <Panel className={clsx("space-y-4 p-5 sm:p-6", wide && "lg:col-span-2")}>
      <h2 className="text-ink-2 text-sm">{words.recording}</h2>
      <Facts className={clsx("grid-cols-2", wide && "lg:grid-cols-4")}>
        <Fact name={words.duration}>{formatClock(audio.duration_seconds)}</Fact>
        <Fact name={words.source}>{words.sourceOf(audio.codec, formatCount(audio.sample_rate), audio.channels)}</Fact>
        <Fact name={words.level}>{level(audio.level_dbfs)}</Fact>
        <Fact name={words.peak}>{level(audio.peak_dbfs)}</Fact>
      </Facts>
    </Panel>
  );
}
