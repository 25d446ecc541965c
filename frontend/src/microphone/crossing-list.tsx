import type { ReactNode } from "react";
import { useMediaQuery } from "../browser/use-media-query";
import { formatPercent } from "../format/numbers";
import { formatTimeOfDay } from "../format/time";
import { text } from "../text";
import { downloadFile } from "../try/export";
import { Button } from "../ui/button";
import { Section } from "../ui/layout";
import { PlainTable } from "../ui/table";
import type { Crossing } from "./crossings";
import type { Listening } from "./listening";
import { toSessionCsv, toSessionJson } from "./session-export";
import type { Gap, SessionState } from "./session-state";

const words = text.microphone.crossings;
const MOST_ROWS = 200;
/** From this width of the window on there is room for all columns. */
const ROOMY = "(min-width: 40rem)";
const COLUMNS = [
  { name: words.columns.time },
  { name: words.columns.label },
  { name: words.columns.duration, numeric: true },
  { name: words.columns.peak, numeric: true },
  { name: words.columns.model },
  { name: words.columns.seen },
];
const NARROW_COLUMNS = [{ name: words.columns.time }, { name: words.columns.label }, { name: words.columns.seen }];

/** Lists when labels reached their thresholds, and what was not heard, newest first. */
export function CrossingList({ session, listening }: { session: SessionState; listening: Listening }) {
  const { crossings, gaps } = session;
  const empty = crossings.length + gaps.length === 0;
  const unseen = crossings.some((crossing) => !crossing.acknowledged);
  const latest = crossings.find((crossing) => !crossing.acknowledged);
  const roomy = useMediaQuery(ROOMY);
  const rows = listRows(crossings, gaps, listening);
  return (
    <Section
      title={words.title}
      actions={!empty && <Actions session={session} listening={listening} unseen={unseen} />}
    >
      <p aria-live="polite" className="sr-only">
        {latest && words.announce(latest.label, formatTimeOfDay(latest.start))}
      </p>
      {empty ? (
        <p className="text-ink-2 text-sm">{words.none}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
        <section tabIndex={0} aria-label={words.title} className="max-h-96 overflow-auto">
          <PlainTable sticky columns={roomy ? COLUMNS : NARROW_COLUMNS} rows={roomy ? rows : rows.map(toNarrowRow)} />
        </section>
      )}
    </Section>
  );
}

interface ActionsProps {
  session: SessionState;
  listening: Listening;
  unseen: boolean;
}

function Actions({ session, listening, unseen }: ActionsProps) {
  const save = (suffix: string, content: string, type: string) => {
    const name = `listening-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}`;
    downloadFile(`${name}.${suffix}`, content, type);
  };
  return (
    <div className="flex flex-wrap gap-1">
      {unseen && (
        <Button small onClick={() => listening.acknowledge()}>
          {words.acknowledgeAll}
        </Button>
      )}
      <Button small look="quiet" onClick={() => save("csv", toSessionCsv(session), "text/csv")}>
        {words.csv}
      </Button>
      <Button small look="quiet" onClick={() => save("json", toSessionJson(session), "application/json")}>
        {words.json}
      </Button>
      <Button small look="quiet" onClick={listening.clear}>
        {words.clear}
      </Button>
    </div>
  );
}

interface Row {
  key: string;
  at: number;
  cells: ReactNode[];
}

function listRows(crossings: readonly Crossing[], gaps: readonly Gap[], listening: Listening): Row[] {
  const rows = [
    ...crossings.slice(0, MOST_ROWS).map((crossing) => toCrossingRow(crossing, listening)),
    ...gaps.slice(-MOST_ROWS).map(toGapRow),
  ];
  return rows.sort((one, other) => other.at - one.at);
}

/** Puts duration, peak and model below the label. */
function toNarrowRow({ key, at, cells: [time, label, duration, peak, model, seen] }: Row): Row {
  const facts = [duration, peak].filter(Boolean).join(", ");
  return {
    key,
    at,
    cells: [
      time,
      <div key="label">
        <p>{label}</p>
        <p className="text-ink-2">
          {facts} {model}
        </p>
      </div>,
      seen,
    ],
  };
}

const formatSeconds = (from: number, to: number) => words.seconds((to - from).toFixed(1));

function toCrossingRow(crossing: Crossing, listening: Listening): Row {
  const { id, label, start, end, peak, model, acknowledged } = crossing;
  const at = formatTimeOfDay(start);
  return {
    key: id,
    at: start,
    cells: [
      at,
      <bdi key="label" className={acknowledged ? "" : "font-semibold"}>
        {label}
      </bdi>,
      formatSeconds(start, end),
      formatPercent(peak),
      <bdi key="model">{model}</bdi>,
      acknowledged ? (
        <span key="seen" className="text-ink-2">
          {words.seen}
        </span>
      ) : (
        <Button
          key="seen"
          small
          look="quiet"
          aria-label={words.acknowledgeOne(label, at)}
          onClick={() => listening.acknowledge(id)}
          className="-my-1"
        >
          {words.acknowledge}
        </Button>
      ),
    ],
  };
}

function toGapRow({ from, to }: Gap): Row {
  return {
    key: `gap ${from}`,
    at: from,
    cells: [
      formatTimeOfDay(from),
      <span key="label" className="text-warn">
        {words.notHeard(formatTimeOfDay(from), formatTimeOfDay(to))}
      </span>,
      formatSeconds(from, to),
      "",
      "",
      "",
    ],
  };
}
