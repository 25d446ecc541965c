import { useQuery } from "@tanstack/react-query";
import { useRemoveExamples, useSetExamples } from "../api/mutations";
import { toProblem } from "../api/problem";
import { examplesQuery } from "../api/queries";
import type { ClipProof, ExamplesProof, ExamplesSummary, Model } from "../api/types";
import { text } from "../text";
import { Button } from "../ui/button";
import { Panel, Section, Skeleton } from "../ui/layout";
import { ProblemNotice, QueryFailure } from "../ui/notice";
import { PlainTable } from "../ui/table";
import { ExamplesDrop } from "./examples-drop";
import { makeExamplesForm } from "./examples-form";

const words = text.examples;
const COLUMNS = [
  { name: words.columns.clip },
  { name: words.columns.expected },
  { name: words.columns.served },
  { name: words.columns.difference, numeric: true },
  { name: words.columns.allowed, numeric: true },
];

/** Shows how the model's answers compare with its author's, clip by clip, and takes other examples. */
export function ExamplesSection({ model }: { model: Model }) {
  const query = useQuery(examplesQuery(model.model_id));
  const set = useSetExamples(model.model_id);
  const remove = useRemoveExamples(model.model_id);
  const found = query.data;
  const failure = set.error ?? remove.error;
  return (
    <Section
      title={words.title}
      actions={
        found && found.summary.examples > 0 ? (
          <Button action="edit" small disabled={remove.isPending} onClick={() => remove.mutate()}>
            {words.remove}
          </Button>
        ) : undefined
      }
    >
      <Panel className="space-y-5 p-5 sm:p-6">
        {query.error && <QueryFailure error={query.error} onRetry={() => void query.refetch()} />}
        {query.isPending && <Skeleton className="h-12 w-full" />}
        {found && <Summary summary={found.summary} />}
        {found?.proof && <Clips proof={found.proof} />}
        {found?.int8_proof && (
          <div>
            <p className="mb-2 text-sm">{words.int8(found.int8_proof.agreed, found.int8_proof.clips.length)}</p>
            <Clips proof={found.int8_proof} />
          </div>
        )}
        <ExamplesDrop
          title={found && found.summary.examples > 0 ? words.replace : words.drop}
          onExamples={(files) => set.mutate(makeExamplesForm(files))}
        />
        {failure && <ProblemNotice problem={toProblem(failure)} />}
      </Panel>
    </Section>
  );
}

function Summary({ summary }: { summary: ExamplesSummary }) {
  const { line, explanation } = words.states[summary.state](summary.text);
  return (
    <div className="max-w-prose text-pretty" aria-live="polite">
      <p className={summary.state === "missed" ? "font-medium text-danger" : "font-medium"}>{line}</p>
      <p className="text-ink-2 text-sm">{explanation}</p>
    </div>
  );
}

function Clips({ proof }: { proof: ExamplesProof }) {
  const clips = [...proof.clips].sort((one, other) => Number(one.agrees) - Number(other.agrees));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <section tabIndex={0} aria-label={words.clips} className="max-h-[30rem] overflow-auto">
      <PlainTable
        className="min-w-xl"
        columns={COLUMNS}
        rows={clips.map((clip) => ({
          key: clip.file,
          cells: [
            <span key="file" className="break-all">
              <span aria-hidden="true">{clip.agrees ? "✓ " : "✗ "}</span>
              {clip.file}
              {!clip.agrees && <span className="sr-only">, {words.differs}</span>}
              {clip.findings.map((finding) => (
                <span key={finding.detail} className="block text-ink-2 text-sm">
                  {finding.detail}
                </span>
              ))}
            </span>,
            formatAnswer(clip.expected_label, clip.differs_at, clip.expected_score),
            clip.problem ?? formatAnswer(clip.served_label, clip.differs_at, clip.served_score),
            formatDifference(clip),
            clip.tolerance.toPrecision(2),
          ],
        }))}
      />
    </section>
  );
}

function formatAnswer(label: string | null, at: string | null, score: number | null): string {
  if (at === null || score === null) return label ?? text.common.unknown;
  const scored = `${at} ${score.toFixed(4)}`;
  return label === null || label === at ? scored : `${label}; ${scored}`;
}

const formatDifference = (clip: ClipProof) => clip.max_difference?.toPrecision(2) ?? "–";
