import { formatClock, formatPercent } from "../format/numbers";
import { text } from "../text";
import { Button } from "../ui/button";
import { Section } from "../ui/layout";
import { PlainTable } from "../ui/table";
import type { ThresholdCrossing } from "./session-state";

const words = text.microphone.crossings;
const COLUMNS = [
  { name: words.time },
  { name: words.label },
  { name: words.score, numeric: true },
  { name: words.model },
];

/** Lists when labels reached their thresholds, newest first. */
export function ThresholdCrossings({
  crossings,
  onClear,
}: {
  crossings: readonly ThresholdCrossing[];
  onClear: () => void;
}) {
  return (
    <Section
      title={words.title}
      actions={
        crossings.length > 0 && (
          <Button small look="quiet" onClick={onClear}>
            {words.clear}
          </Button>
        )
      }
    >
      {crossings.length === 0 ? (
        <p className="text-ink-2 text-sm">{words.none}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
        <section tabIndex={0} aria-label={words.title} className="max-h-96 overflow-y-auto">
          <PlainTable
            sticky
            columns={COLUMNS}
            rows={crossings.map((crossing) => ({
              key: `${crossing.at} ${crossing.label}`,
              cells: [
                formatClock(crossing.at),
                <span key="label" className="font-medium">
                  {crossing.label}
                </span>,
                formatPercent(crossing.score),
                crossing.model,
              ],
            }))}
          />
        </section>
      )}
    </Section>
  );
}
