import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import type { Prediction } from "../api/types";
import { useFileDrop } from "../browser/use-file-drop";
import { type Choice, ModelChoice } from "../models/model-select";
import { text } from "../text";
import { Button } from "../ui/button";
import { Page, PageTitle, Skeleton } from "../ui/layout";
import { Empty, QueryFailure } from "../ui/notice";
import { AudioFacts } from "./audio-facts";
import { Source } from "./clip-source";
import { Strips } from "./clip-timeline";
import { download, toCsv } from "./export";
import { Verdict } from "./prediction-panel";
import { type Clip, clipOf, predictionQuery } from "./prediction-query";
import { WindowTable } from "./window-table";

const route = getRouteApi("/try");
const words = text.tryIt;

export function TryPage() {
  const asked = route.useSearch().model;
  const [clip, setClip] = useState<Clip>();
  const [first, setFirst] = useState<Choice>(asked ?? "live");
  const [second, setSecond] = useState<Choice>();
  const one = useQuery(predictionQuery(clip, first));
  const other = useQuery(predictionQuery(clip, second));
  useFileDrop((file) => setClip(clipOf(file.name, file)), true);
  const predictions = [one.data, second === undefined ? undefined : other.data].filter((each) => each !== undefined);

  return (
    <Page wide>
      <PageTitle lead={words.lead}>{words.title}</PageTitle>
      <Source chosen={clip?.name} onClip={setClip} />
      <div className="mt-6 flex flex-wrap gap-4">
        <ModelChoice label={words.models.first} value={first} onChange={(choice) => setFirst(choice ?? "live")} />
        <ModelChoice label={words.models.second} value={second} optional onChange={setSecond} />
      </div>
      <div className="mt-8">
        {!clip && <Empty title={words.emptyTitle}>{words.empty}</Empty>}
        {clip && (
          <>
            <div className="mb-3 flex min-h-10 flex-wrap items-center justify-between gap-3">
              <h2 className="min-w-0 break-all font-semibold text-lg tracking-tight">{clip.name}</h2>
              {predictions.length > 0 && <Save name={clip.name} predictions={predictions} />}
            </div>
            <Strips key={clip.key} blob={clip.blob} predictions={predictions} />
            <div className="mt-6 grid items-start gap-6 lg:grid-cols-2">
              <Answer query={one} />
              {second !== undefined && <Answer query={other} />}
              {predictions[0] && <AudioFacts audio={predictions[0].audio} wide={second !== undefined} />}
            </div>
            {predictions.length > 0 && <WindowTable predictions={predictions} />}
          </>
        )}
      </div>
    </Page>
  );
}

function Answer({ query }: { query: UseQueryResult<Prediction> }) {
  if (query.error) return <QueryFailure error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton className="h-96 w-full" />;
  return <Verdict prediction={query.data} />;
}

function Save({ name, predictions }: { name: string; predictions: readonly Prediction[] }) {
  const stem = name.replace(/\.[a-z0-9]+$/i, "");
  const json = () => download(`${stem}.json`, JSON.stringify(predictions, null, 2), "application/json");
  const csv = () => download(`${stem}.csv`, toCsv(predictions), "text/csv");
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
