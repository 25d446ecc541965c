import { useQuery } from "@tanstack/react-query";
import type { Prediction } from "../api/types";
import type { ModelChoice } from "../models/model-select";
import { text } from "../text";
import { Button } from "../ui/button";
import { AudioFacts } from "./audio-facts";
import { ClipTimeline } from "./clip-timeline";
import { collectBlob, downloadBlob, listCsvParts, listJsonParts } from "./export";
import { PredictionPanel } from "./prediction-panel";
import { type Clip, partialQuery, predictionQuery } from "./prediction-query";
import type { TrySearch } from "./search-params";
import { VerdictPanel } from "./verdict-panel";
import { WindowTable } from "./window-table";

type View = Pick<TrySearch, "t" | "from" | "to">;

interface Props {
  clip: Clip;
  first: ModelChoice;
  second: ModelChoice;
  view: View;
  onView: (view: { [Key in keyof View]?: View[Key] | undefined }) => void;
}

/** Shows what one model or two answer for a recording: the verdicts, then the clip over time, then the numbers. */
export function ClipResult({ clip, first, second, view, onView }: Props) {
  const one = useQuery(predictionQuery(clip, first));
  const other = useQuery(predictionQuery(clip, second));
  const partOne = useQuery(partialQuery(clip, first));
  const partOther = useQuery(partialQuery(clip, second));
  const predictions = [one.data, second === undefined ? undefined : other.data].filter((each) => each !== undefined);
  const scores = [one.data ?? partOne.data, second === undefined ? undefined : (other.data ?? partOther.data)].filter(
    (each) => each !== undefined && each !== null,
  );
  return (
    <>
      <div className="mb-3 flex min-h-10 flex-wrap items-center justify-between gap-3">
        <h2 className="min-w-0 break-all font-semibold text-lg tracking-tight">
          <bdi>{clip.name}</bdi>
        </h2>
        {predictions.length > 0 && <SaveButtons name={clip.name} predictions={predictions} />}
      </div>
      <div className="mb-6 grid items-start gap-6 lg:auto-cols-fr lg:grid-flow-col">
        <VerdictPanel query={one} clip={clip} choice={first} />
        {second !== undefined && <VerdictPanel query={other} clip={clip} choice={second} />}
      </div>
      <ClipTimeline
        blob={clip.blob}
        scores={scores}
        refused={one.isError && (second === undefined || other.isError)}
        view={view}
        onView={onView}
      />
      <div className="mt-6 grid items-start gap-6 lg:grid-cols-2">
        {predictions.map((prediction, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the first and the second choice can be the same model
          <PredictionPanel key={place} prediction={prediction} />
        ))}
        {predictions[0] && <AudioFacts audio={predictions[0].audio} wide={second !== undefined} />}
      </div>
      {predictions.length > 0 && <WindowTable predictions={predictions} />}
    </>
  );
}

function SaveButtons({ name, predictions }: { name: string; predictions: readonly Prediction[] }) {
  const words = text.tryIt.save;
  const stem = name.replace(/\.[a-z0-9]+$/i, "");
  const save = (ending: string, type: string, parts: Iterable<string>) =>
    void collectBlob(parts, type).then((blob) => downloadBlob(`${stem}.${ending}`, blob));
  const json = () => save("json", "application/json", listJsonParts(predictions));
  const csv = () => save("csv", "text/csv", listCsvParts(predictions));
  return (
    <div className="flex gap-2">
      <Button small onClick={json}>
        {words.json}
      </Button>
      <Button small onClick={csv}>
        {words.csv}
      </Button>
    </div>
  );
}
