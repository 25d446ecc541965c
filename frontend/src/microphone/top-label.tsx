import { formatPercent } from "../format/numbers";
import { text } from "../text";
import type { ListeningState } from "./listening";
import { getThreshold } from "./session-state";

const words = text.microphone;

/** Names the label with the highest score in the newest window; says so when there is no current window. */
export function TopLabel({ state: { session, hearing } }: { state: ListeningState }) {
  const window = hearing.kind === "hearing" ? session.windows.at(-1) : undefined;
  if (!window || window.label === null || window.score === null) {
    return <p className="min-w-0 truncate text-ink-2">{words.nothingNow}</p>;
  }
  const above = window.score >= getThreshold(session, window.label);
  return (
    <p className="flex min-w-0 items-baseline gap-2 text-lg">
      <span className="sr-only">{words.now}</span>
      <bdi className={above ? "truncate font-semibold text-accent" : "truncate font-medium"} title={window.label}>
        {window.label}
      </bdi>
      <span className="shrink-0 text-ink-2">{formatPercent(window.score)}</span>
    </p>
  );
}
