import { text } from "../text";
import { Button } from "../ui/button";
import { clock, share } from "../ui/format";
import { Section } from "../ui/layout";
import type { Crossing } from "./record";

const words = text.live.crossings;

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
          <table className="w-full text-sm">
            <thead className="sticky top-0 bg-paper text-left text-ink-3">
              <tr>
                <th scope="col" className="py-1 pr-4 font-normal">
                  {words.time}
                </th>
                <th scope="col" className="py-1 pr-4 font-normal">
                  {words.label}
                </th>
                <th scope="col" className="py-1 pr-4 text-right font-normal">
                  {words.score}
                </th>
                <th scope="col" className="py-1 font-normal">
                  {words.model}
                </th>
              </tr>
            </thead>
            <tbody>
              {crossings.map((crossing) => (
                <tr key={`${crossing.at} ${crossing.label}`} className="border-line border-t">
                  <td className="py-1 pr-4">{clock(crossing.at)}</td>
                  <td className="py-1 pr-4 font-medium">{crossing.label}</td>
                  <td className="py-1 pr-4 text-right">{share(crossing.score)}</td>
                  <td className="py-1 text-ink-2">{crossing.model}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </Section>
  );
}
