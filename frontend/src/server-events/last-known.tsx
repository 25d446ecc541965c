import { formatTimeOfDay } from "../format/time";
import { text } from "../text";
import { useServerLink } from "./provider";

/** Marks what is on screen as the last known state while the server does not answer. Shows nothing otherwise. */
export function LastKnown() {
  const { state, knownAt } = useServerLink();
  if (state !== "offline") return null;
  return (
    <span className="inline-block whitespace-nowrap rounded bg-warn-soft px-2 py-0.5 font-medium text-sm text-warn">
      {text.shell.feed.lastKnown(formatTimeOfDay(knownAt / 1000))}
    </span>
  );
}
