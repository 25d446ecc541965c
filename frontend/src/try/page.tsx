import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import type { Prediction } from "../api/types";
import { useFileDrop } from "../browser/use-file-drop";
import { type ModelChoice, ModelSelect } from "../models/model-select";
import { text } from "../text";
import { Button } from "../ui/button";
import { Page, PageTitle, Skeleton } from "../ui/layout";
import { Empty, QueryFailure } from "../ui/notice";
import { AudioFacts } from "./audio-facts";
import { ClipSource } from "./clip-source";
import { ClipTimeline } from "./clip-timeline";
import { downloadFile, toCsv } from "./export";
import { PredictionPanel } from "./prediction-panel";
import { type Clip, makeClip, predictionQuery } from "./prediction-query";
import { WindowTable } from "./window-table";

const route = getRouteApi("/try");
const words = text.tryIt;

export function TryPage() {
  const asked = route.useSearch().model;
  const [clip, setClip] = useState<Clip>();
  const [first, setFirst] = useState<ModelChoice>(asked ?? "live");
  const [second, setSecond] = useState<ModelChoice>();
  const one = useQuery(predictionQuery(clip, first));
  const other = useQuery(predictionQuery(clip, second));
  useFileDrop((file) => setClip(makeClip(file.name, file)), true);
  const predictions = [one.data, second === undefined ? undefined : other.data].filter((each) => each !== undefined);

  return (
    <Page wide>
      <PageTitle lead={words.lead}>{words.title}</PageTitle>
      <ClipSource chosen={clip?.name} onClip={setClip} />
      <div className="mt-6 flex flex-wrap gap-4">
        <ModelSelect label={words.models.first} value={first} onChange={(choice) => setFirst(choice ?? "live")} />
        <ModelSelect label={words.models.second} value={second} optional onChange={setSecond} />
      </div>
      <div className="mt-8">
        {!clip && <Empty title={words.emptyTitle}>{words.empty}</Empty>}
        {clip && (
          <>
            <div className="mb-3 flex min-h-10 flex-wrap items-center justify-between gap-3">
              <h2 className="min-w-0 break-all font-semibold text-lg tracking-tight">{clip.name}</h2>
              {predictions.length > 0 && <SaveButtons name={clip.name} predictions={predictions} />}
            </div>
            <ClipTimeline key={clip.key} blob={clip.blob} predictions={predictions} />
            <div className="mt-6 grid items-start gap-6 lg:grid-cols-2">
              <PredictionResult query={one} />
              {second !== undefined && <PredictionResult query={other} />}
              {predictions[0] && <AudioFacts audio={predictions[0].audio} wide={second !== undefined} />}
            </div>
            {predictions.length > 0 && <WindowTable predictions={predictions} />}
          </>
        )}
      </div>
    </Page>
  );
}

function PredictionResult({ query }: { query: UseQueryResult<Prediction> }) {
  if (query.error) return <QueryFailure error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton className="h-96 w-full" />;
  return <PredictionPanel prediction={query.data} />;
}

function SaveButtons({ name, predictions }: { name: string; predictions: readonly Prediction[] }) {
  const stem = name.replace(/\.[a-z0-9]+$/i, "");
  const json = () => downloadFile(`${stem}.json`, JSON.stringify(predictions, null, 2), "application/json");
  const csv = () => downloadFile(`${stem}.csv`, toCsv(predictions), "text/csv");
  return (
    <div className="flex gap-2">
      <Button small onClick={json}>
        {words.save.json}
      </Button>
      <Button small onClick={csv}>
        {words.save.csv}
      </Button>
    </div>
  );
}
