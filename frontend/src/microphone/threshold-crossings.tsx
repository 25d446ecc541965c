import { clock, share } from "../format/numbers";
import { text } from "../text";
import { Button } from "../ui/button";
import { Section } from "../ui/layout";
import { PlainTable } from "../ui/table";
import type { Crossing } from "./session-state";

const words = text.live.crossings;
const COLUMNS = [
  { name: words.time },
  { name: words.label },
  { name: words.score, numeric: true },
  { name: words.model },
];

/** When a label reached its threshold, newest first. */
export function Crossings({ crossings, onClear }: { crossings: readonly Crossing[]; onClear: () => void }) {
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
                clock(crossing.at),
                <span key="label" className="font-medium">
                  {crossing.label}
                </span>,
                share(crossing.score),
                crossing.model,
              ],
            }))}
          />
        </section>
      )}
    </Section>
  );
}
