import { Link } from "@tanstack/react-router";
import clsx from "clsx";
import { text } from "../text";
import { formatDeafness } from "./hearing-notice";
import { useListening } from "./listening-provider";

const words = text.microphone;

/** Shows on every page that the microphone is on, whether it is heard, and how many crossings nobody has seen. */
export function ListeningIndicator() {
  const { connection, hearing, session } = useListening().state;
  const unseen = session.crossings.filter((crossing) => !crossing.acknowledged).length;
  if (connection === "idle") return null;
  const deaf = hearing.kind === "deaf";
  return (
    <Link
      to="/live"
      className={clsx(
        "flex items-center gap-2 whitespace-nowrap rounded-full border px-3 py-1 text-sm",
        deaf ? "border-warn bg-warn-soft font-medium text-warn" : "border-line-strong text-ink-2",
      )}
    >
      <span
        aria-hidden="true"
        className={clsx(
          "size-2 rounded-full",
          deaf ? "bg-warn" : connection === "streaming" ? "bg-accent" : "bg-line-strong",
        )}
      />
      <span className={clsx(!deaf && "max-sm:sr-only")}>
        {deaf ? formatDeafness(hearing) : words.connections[connection]}
      </span>
      {unseen > 0 && <span className="font-medium text-ink">{words.indicator.unseen(unseen)}</span>}
    </Link>
  );
}
