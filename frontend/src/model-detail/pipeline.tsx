import clsx from "clsx";
import { useState } from "react";
import type { PipelineFact, PipelineStep } from "../api/types";
import { text } from "../text";
import { Button } from "../ui/button";
import { AlertIcon } from "../ui/icons";

const words = text.modelDetail.pipeline;

// Only the thresholds of a model with hundreds of labels are so many.
const MANY_FACTS = 40;
const FEW_FACTS = 14;

interface Props {
  steps: readonly PipelineStep[];
  preset: string | null;
}

/** Draws the way from a recording to its label as a column of boxes. */
export function PipelinePicture({ steps, preset }: Props) {
  const changed = steps.some((step) => step.facts.some((fact) => fact.preset_value !== null));
  return (
    <>
      <p className="mb-4 text-ink-2 text-sm">
        {preset === null ? words.noPreset : changed ? words.changedPreset(preset) : words.preset(preset)}
      </p>
      <ol aria-label={words.steps}>
        {steps.map((step, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the steps keep their places, and a kind can occur twice
          <li key={index} className="group">
            <Box step={step} />
            <span aria-hidden="true" className="ml-5 block py-0.5 text-ink-3 leading-4 group-last:hidden">
              ↓
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}

function Box({ step }: { step: PipelineStep }) {
  const [all, setAll] = useState(false);
  const shown = all || step.facts.length <= MANY_FACTS ? step.facts : step.facts.slice(0, FEW_FACTS);
  return (
    <div
      className={clsx(
        "rounded-lg border px-4 py-3 md:grid md:grid-cols-[11rem_1fr] md:gap-x-6",
        step.unsaid.length ? "border-warn bg-warn-soft" : "border-line bg-surface",
      )}
    >
      <h3 className="font-medium">{step.title}</h3>
      <div className="mt-1 min-w-0 space-y-2 empty:hidden md:mt-0">
        {step.facts.length > 0 && (
          <dl className="flex flex-wrap gap-x-5 gap-y-1 text-sm">
            {shown.map((fact, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the facts keep their places, and thresholds share a name
              <Parameter key={index} fact={fact} />
            ))}
          </dl>
        )}
        {shown.length < step.facts.length && (
          <Button small look="quiet" className="-ml-3" onClick={() => setAll(true)}>
            {words.showAll(step.facts.length - shown.length)}
          </Button>
        )}
        {step.unsaid.map((unsaid) => (
          <p key={unsaid} className="flex gap-2 text-sm">
            <span className="pt-0.5 text-warn">
              <AlertIcon />
            </span>
            <span>
              <span className="font-medium text-warn">{words.unsaid}</span> {unsaid}
            </span>
          </p>
        ))}
      </div>
    </div>
  );
}

function Parameter({ fact }: { fact: PipelineFact }) {
  const changed = fact.preset_value !== null;
  return (
    <div className={clsx("min-w-0 max-w-full break-words", changed && "-mx-1.5 rounded bg-accent-soft px-1.5")}>
      <dt className="inline text-ink-3">{fact.name}</dt>{" "}
      <dd className="inline">
        <span className={clsx("font-medium", changed && "text-accent-strong")}>{fact.value}</span>
        {changed && <span className="text-ink-2"> {words.insteadOf(fact.preset_value ?? "")}</span>}
      </dd>
    </div>
  );
}
