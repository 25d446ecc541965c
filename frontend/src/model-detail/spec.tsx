import { useState } from "react";
import type { ModelDetail, Spec } from "../api/types";
import { formatCount } from "../format/numbers";
import { text } from "../text";
import { Button } from "../ui/button";
import { Panel, Section } from "../ui/layout";
import { PipelinePicture } from "./pipeline";

const words = text.modelDetail.spec;
const MOST_LABELS = 40;

/** Shows the model's spec: the way from a recording to its label, and all labels. */
export function SpecSection({ model, spec }: { model: ModelDetail; spec: Spec }) {
  return (
    <Section title={words.title}>
      <Panel className="p-5 sm:p-6">
        <PipelinePicture steps={model.pipeline} preset={model.preset} />
        <Labels spec={spec} />
      </Panel>
    </Section>
  );
}

function Labels({ spec }: { spec: Spec }) {
  const [all, setAll] = useState(spec.labels.length <= MOST_LABELS);
  const shown = all ? spec.labels : spec.labels.slice(0, MOST_LABELS);
  return (
    <>
      <h3 className="mt-6 text-ink-3 text-sm">
        {words.labels} ({formatCount(spec.labels.length)})
      </h3>
      <ul className="mt-2 flex flex-wrap gap-2 text-sm">
        {shown.map((label) => {
          const threshold = spec.thresholds?.[label];
          return (
            <li key={label} className="rounded-md bg-sunken px-2.5 py-1">
              {label}
              {threshold !== undefined && (
                <span className="ml-2 text-ink-2">{words.threshold(threshold.toFixed(2))}</span>
              )}
            </li>
          );
        })}
      </ul>
      {!all && (
        <Button small className="mt-3" onClick={() => setAll(true)}>
          {words.more(spec.labels.length)}
        </Button>
      )}
    </>
  );
}
