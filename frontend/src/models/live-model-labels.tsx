import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { reportQuery } from "../api/queries";
import type { Model } from "../api/types";
import { text } from "../text";

const words = text.models.live;
const MOST_LABELS = 10;

/** Says which labels the live model listens for; those with a threshold come first. */
export function LiveModelLabels({ model }: { model: Model }) {
  const spec = useQuery(reportQuery(model.model_id)).data?.spec;
  if (!spec) return <p className="mt-5 min-h-8" />;
  const { labels, thresholds = {} } = spec;
  const ordered = [...labels].sort((one, other) => Number(other in thresholds) - Number(one in thresholds));
  const rest = labels.length - MOST_LABELS;
  return (
    <div className="mt-5 flex min-h-8 flex-wrap items-baseline gap-2 text-sm">
      <h2 className="text-ink-3">{words.listensFor}</h2>
      <ul className="contents">
        {ordered.slice(0, MOST_LABELS).map((label) => (
          <li key={label} title={label} className="max-w-56 truncate rounded-md bg-sunken px-2.5 py-1">
            <bdi>{label}</bdi>
          </li>
        ))}
      </ul>
      {rest > 0 && (
        <Link
          to="/models/$id"
          params={{ id: String(model.model_id) }}
          className="text-ink-2 underline underline-offset-4"
        >
          {words.moreLabels(rest)}
        </Link>
      )}
      {Object.keys(thresholds).length === 0 && <p className="w-full text-ink-2">{words.noThresholds}</p>}
    </div>
  );
}
