import { formatDuration } from "../format/numbers";
import { formatTimeOfDay } from "../format/time";
import { text } from "../text";
import { AlertIcon } from "../ui/icons";
import type { Hearing } from "./hearing";

const words = text.microphone.deaf;

/** Formats how long no score came: "No answer for 3 s". */
export function formatDeafness(hearing: Extract<Hearing, { kind: "deaf" }>): string {
  const seconds = formatDuration(hearing.seconds);
  return hearing.cause === "microphone" ? words.noSound(seconds) : words.noAnswer(seconds);
}

/** Warns while the sound is not scored. A screen reader hears it once, not every second. */
export function HearingNotice({ hearing }: { hearing: Hearing }) {
  const deaf = hearing.kind === "deaf" ? hearing : undefined;
  return (
    <>
      {deaf && (
        <p role="alert" className="sr-only">
          {words.announce[deaf.cause === "microphone" ? "sound" : "answer"]}
        </p>
      )}
      {deaf && (
        <section
          aria-label={text.microphone.indicator.deaf}
          className="mt-4 flex gap-3 rounded-lg border border-warn bg-warn-soft p-4 text-sm"
        >
          <span className="pt-1 text-warn">
            <AlertIcon />
          </span>
          <div className="min-w-0 flex-1">
            <p className="font-semibold text-lg text-warn">{formatDeafness(deaf)}</p>
            <p className="mt-1">
              {words.since(formatTimeOfDay(deaf.since))} <span className="text-ink-2">{words.causes[deaf.cause]}</span>
            </p>
          </div>
        </section>
      )}
    </>
  );
}
