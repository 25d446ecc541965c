import { Slider } from "radix-ui";
import { type FormEvent, useId, useState } from "react";
import { formatPercent } from "../format/numbers";
import { text } from "../text";
import { Button } from "../ui/button";
import { TextField } from "../ui/field";
import { PinIcon } from "../ui/icons";
import { Section } from "../ui/layout";
import type { Listening, ListeningState } from "./listening";
import { SaveThresholds } from "./save-thresholds";
import { getThreshold } from "./session-state";

const words = text.microphone.thresholds;

interface Props {
  state: ListeningState;
  listening: Listening;
  labels: readonly string[];
}

/** Shows each label's current score with a slider for its threshold. Without a current window the meters are empty. */
export function ThresholdSliders({ state: { session, hearing }, listening, labels }: Props) {
  const now = hearing.kind === "hearing" ? session.windows.at(-1)?.scores : undefined;
  const some = labels.length < session.labels.length;
  return (
    <Section title={words.title} lead={words.lead}>
      <ul className="space-y-1">
        {labels.map((label) => (
          <Row
            key={label}
            label={label}
            score={now?.[label] ?? null}
            threshold={getThreshold(session, label)}
            pinned={session.pinned.includes(label)}
            onPin={() => listening.togglePin(label)}
            onChange={(value) => listening.setThreshold(label, value)}
          />
        ))}
      </ul>
      {some && (
        <>
          <p className="mt-3 text-ink-2 text-sm">{words.shown(labels.length, session.labels.length)}</p>
          <PinField labels={session.labels} pinned={session.pinned} onPin={listening.togglePin} />
        </>
      )}
      <SaveThresholds session={session} onSaved={listening.dropThresholds} />
    </Section>
  );
}

interface RowProps {
  label: string;
  /** Null without a current score. */
  score: number | null;
  threshold: number;
  pinned: boolean;
  onPin: () => void;
  onChange: (threshold: number) => void;
}

function Row({ label, score, threshold, pinned, onPin, onChange }: RowProps) {
  const above = score !== null && score >= threshold;
  return (
    <li className="grid grid-cols-[1.75rem_6.5rem_minmax(0,1fr)_3.5rem] items-center gap-2 text-sm sm:grid-cols-[1.75rem_9rem_minmax(0,1fr)_3.5rem]">
      <button
        type="button"
        aria-pressed={pinned}
        aria-label={words.pin(label)}
        title={words.pin(label)}
        onClick={onPin}
        className="flex size-7 items-center justify-center rounded text-ink-3 hover:bg-sunken aria-pressed:text-accent"
      >
        <PinIcon filled={pinned} />
      </button>
      <bdi className={above ? "truncate font-semibold" : "truncate"} title={label}>
        {label}
      </bdi>
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

interface PinFieldProps {
  labels: readonly string[];
  pinned: readonly string[];
  onPin: (label: string) => void;
}

/** Pins a label of a large model by its name. */
function PinField({ labels, pinned, onPin }: PinFieldProps) {
  const [typed, setTyped] = useState("");
  const [unknown, setUnknown] = useState(false);
  const list = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const label = labels.find((each) => each.toLowerCase() === typed.trim().toLowerCase());
    setUnknown(label === undefined);
    if (label === undefined) return;
    if (!pinned.includes(label)) onPin(label);
    setTyped("");
  };
  return (
    <form onSubmit={submit} className="mt-3 grid max-w-96 grid-cols-[minmax(0,1fr)_auto] items-start gap-2">
      <TextField
        label={words.find}
        hint={words.findHint}
        error={unknown ? words.unknown : undefined}
        list={list}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
      <datalist id={list}>
        {labels.map((label) => (
          <option key={label} value={label} />
        ))}
      </datalist>
      <Button type="submit" className="mt-6">
        {words.pinIt}
      </Button>
    </form>
  );
}
