import { Slider } from "radix-ui";
import { formatPercent } from "../format/numbers";
import { text } from "../text";
import { Section } from "../ui/layout";
import { getThreshold, type SessionState } from "./session-state";

const words = text.microphone.thresholds;

interface Props {
  session: SessionState;
  labels: readonly string[];
  onChange: (label: string, threshold: number) => void;
}

/** Shows each label's current score with a slider for its threshold. */
export function ThresholdSliders({ session, labels, onChange }: Props) {
  const now = session.windows.at(-1);
  return (
    <Section title={words.title} lead={words.lead}>
      <ul className="space-y-1">
        {labels.map((label) => (
          <Row
            key={label}
            label={label}
            score={now?.scores === null ? null : (now?.scores[label] ?? 0)}
            threshold={getThreshold(session, label)}
            onChange={(value) => onChange(label, value)}
          />
        ))}
      </ul>
      {labels.length < session.labels.length && (
        <p className="mt-3 text-ink-2 text-sm">{words.shown(labels.length, session.labels.length)}</p>
      )}
    </Section>
  );
}

interface RowProps {
  label: string;
  /** Null where the last window was not scored. */
  score: number | null;
  threshold: number;
  onChange: (threshold: number) => void;
}

function Row({ label, score, threshold, onChange }: RowProps) {
  const above = score !== null && score >= threshold;
  return (
    <li className="grid grid-cols-[7rem_minmax(0,1fr)_3.5rem] items-center gap-3 text-sm sm:grid-cols-[9rem_minmax(0,1fr)_3.5rem]">
      <span className={above ? "truncate font-semibold" : "truncate"} title={label}>
        {label}
      </span>
      <Slider.Root
        min={0}
        max={1}
        step={0.01}
        value={[threshold]}
        onValueChange={([value]) => value !== undefined && onChange(value)}
        className="relative flex h-8 touch-none select-none items-center"
      >
        <Slider.Track className="relative h-2.5 w-full overflow-hidden rounded-sm bg-sunken">
          <span
            aria-hidden="true"
            className={`block h-full ${above ? "bg-accent" : "bg-line-strong"}`}
            style={{ width: `${Math.max(0, Math.min(1, score ?? 0)) * 100}%` }}
          />
        </Slider.Track>
        <Slider.Thumb
          aria-label={words.of(label)}
          aria-valuetext={words.value(formatPercent(threshold))}
          className="block h-6 w-2 cursor-ew-resize rounded-sm border border-surface bg-ink"
        />
      </Slider.Root>
      <span className={above ? "text-right font-semibold" : "text-right text-ink-2"}>
        {score === null ? "–" : formatPercent(score)}
      </span>
    </li>
  );
}
