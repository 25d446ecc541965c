import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import clsx from "clsx";
import { useMemo } from "react";
import type { Prediction } from "../api/types";
import type { ModelChoice } from "../models/model-select";
import { text } from "../text";
import { getPageWarning } from "../text/remedies";
import { Button } from "../ui/button";
import { Panel } from "../ui/layout";
import { QueryFailure, WarningNotice } from "../ui/notice";
import type { Clip } from "./prediction-query";
import { RequestPanel } from "./request-panel";
import { useAnsweringSpec } from "./use-answering-spec";
import { useNewerLiveModel } from "./use-newer-live-model";
import { decideVerdict } from "./verdict";

const words = text.tryIt.verdict;

interface PanelProps {
  query: UseQueryResult<Prediction>;
  clip: Clip;
  choice: ModelChoice;
}

/** Shows the decision on a recording, and everything that limits it, before any number. */
export function VerdictPanel({ query, clip, choice }: PanelProps) {
  if (query.error) return <QueryFailure error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <RequestPanel query={query} clip={clip} choice={choice} />;
  return (
    <Decision
      prediction={query.data}
      choice={choice}
      running={query.isFetching}
      onRunAgain={() => void query.refetch()}
    />
  );
}

interface Props {
  prediction: Prediction;
  choice: ModelChoice;
  running: boolean;
  onRunAgain: () => void;
}

function Decision({ prediction, choice, running, onRunAgain }: Props) {
  const { spec, pending } = useAnsweringSpec(prediction.model);
  const thresholds = spec?.thresholds;
  const verdict = useMemo(() => decideVerdict(prediction, thresholds), [prediction, thresholds]);
  const newer = useNewerLiveModel(prediction, choice);
  const { model } = prediction;
  return (
    <Panel className={clsx("p-5 sm:p-6", verdict.kind === "event" && "border-accent")}>
      <p className="break-words text-ink-2 text-sm">
        {words.answeredBy}{" "}
        <Link
          to="/models/$id"
          params={{ id: String(model.model_id) }}
          className="text-ink underline underline-offset-4"
        >
          <bdi>{model.model_name}</bdi>
          {model.version && `, ${model.version}`}
        </Link>
      </p>
      <div role="status" aria-label={words.label(model.model_name)} className="mt-1 min-h-14">
        {!pending && (
          <>
            <p
              className={clsx(
                "break-words font-semibold text-2xl tracking-tight sm:text-3xl",
                verdict.kind === "undecided" && "text-warn",
              )}
            >
              {verdict.headline}
            </p>
            {verdict.lines.map((line) => (
              <p key={line} className="mt-1 break-words text-ink-2">
                {line}
              </p>
            ))}
          </>
        )}
      </div>
      {newer && (
        <div className="mt-4">
          <WarningNotice>
            <p>{words.earlier(newer.model_name)}</p>
            <Button small className="mt-2" disabled={running} onClick={onRunAgain}>
              {words.runAgain(newer.model_name)}
            </Button>
          </WarningNotice>
        </div>
      )}
      {collectCautions(prediction).map((warning) => (
        <div key={warning} className="mt-3">
          <WarningNotice>{getPageWarning(warning)}</WarningNotice>
        </div>
      ))}
    </Panel>
  );
}

/** Returns the warnings and the findings of an answer, each sentence once. */
function collectCautions({ warnings, findings }: Prediction): string[] {
  return [...new Set([...findings.map(({ detail }) => detail), ...warnings])];
}
