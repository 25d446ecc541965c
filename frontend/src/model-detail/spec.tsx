import { useState } from "react";
import type { Spec } from "../api/types";
import { formatCount } from "../format/numbers";
import { text } from "../text";
import { Button } from "../ui/button";
import { Fact, Facts, Panel, Section } from "../ui/layout";
import { WarningNotice } from "../ui/notice";

const words = text.modelDetail.spec;
const MOST_LABELS = 40;

/** Shows the model's spec: how audio becomes its input, and its output labels. */
export function SpecSection({ spec }: { spec: Spec }) {
  const window =
    spec.window_seconds === null || spec.window_seconds === undefined
      ? words.wholeClip
      : words.everySeconds(String(spec.window_seconds), String(spec.hop_seconds ?? spec.window_seconds));
  return (
    <Section title={words.title}>
      <Panel className="p-5 sm:p-6">
        <Facts className="sm:grid-cols-2 lg:grid-cols-3">
          <Fact name={words.input}>{text.modelDetail.inputs[spec.input]}</Fact>
          <Fact name={words.rate}>
            {spec.sample_rate === "file" ? words.ownRate : `${formatCount(spec.sample_rate)} Hz`}
          </Fact>
          <Fact name={words.window}>{window}</Fact>
          <Fact name={words.activation}>{text.modelDetail.activations[spec.activation]}</Fact>
          <Fact name={words.aggregation}>{text.modelDetail.aggregations[spec.aggregation](spec.top_k)}</Fact>
        </Facts>
        {!spec.labels_named && (
          <div className="mt-5">
            <WarningNotice>{words.unnamed}</WarningNotice>
          </div>
        )}
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
