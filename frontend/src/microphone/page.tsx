import { useState } from "react";
import type { Finding } from "../api/types";
import { useMediaQuery } from "../browser/use-media-query";
import { formatTimeOfDay } from "../format/time";
import { text } from "../text";
import { Page, PageTitle, Panel } from "../ui/layout";
import { Empty, ProblemNotice, WarningNotice } from "../ui/notice";
import { AlarmSwitches } from "./alarm-switches";
import { Controls } from "./controls";
import { CrossingList } from "./crossing-list";
import { HearingNotice } from "./hearing-notice";
import type { ListeningState } from "./listening";
import { useListening } from "./listening-provider";
import { AXIS_PX, ROW_PX, ScoreCanvas, SPECTRUM_PX } from "./score-canvas";
import { pickShownLabels, type SessionState, SHOWN_SECONDS } from "./session-state";
import { ThresholdSliders } from "./threshold-sliders";
import { TopLabel } from "./top-label";

const words = text.microphone;
const PHONE_SECONDS = 10;

export function MicrophonePage() {
  const { state, listening } = useListening();
  const { session, connection, hearing } = state;
  const labels = pickShownLabels(session);
  return (
    <Page>
      <PageTitle lead={words.lead}>{words.title}</PageTitle>
      <Controls state={state} listening={listening} />
      <HearingNotice hearing={hearing} />
      {session.problem && (
        <div className="mt-4">
          <ProblemNotice problem={session.problem} />
        </div>
      )}
      {session.findings.map((finding) => (
        <div key={finding.code} className="mt-5">
          <WarningNotice>{words.finding(finding.detail, formatSpan(finding))}</WarningNotice>
        </div>
      ))}
      <div className="mt-5">
        {labels.length > 0 ? (
          <ScorePanel state={state} labels={labels} />
        ) : (
          connection === "idle" && <Empty title={words.emptyTitle}>{words.empty}</Empty>
        )}
      </div>
      {labels.length > 0 && (
        <div className="grid gap-x-10 lg:grid-cols-2">
          <ThresholdSliders state={state} listening={listening} labels={labels} />
          <div className="min-w-0">
            <CrossingList session={session} listening={listening} />
            <AlarmSwitches />
          </div>
        </div>
      )}
      <SwapList session={session} />
    </Page>
  );
}

/** Formats the times of a finding, which are times of day in a session. */
const formatSpan = ({ start, end }: Finding) =>
  start == null
    ? undefined
    : [start, end]
        .filter((at) => at != null)
        .map(formatTimeOfDay)
        .join(" to ");

function ScorePanel({ state, labels }: { state: ListeningState; labels: readonly string[] }) {
  const roomy = useMediaQuery("(min-width: 40rem)");
  const [span, setSpan] = useState<number>();
  const seconds = span ?? (roomy ? SHOWN_SECONDS : PHONE_SECONDS);
  return (
    <Panel className="p-4 sm:p-6">
      <div className="mb-3 flex items-center justify-between gap-4">
        <TopLabel state={state} />
        <SpanSwitch seconds={seconds} onChange={setSpan} />
      </div>
      <section
        aria-label={words.strip(seconds)}
        className="grid grid-cols-[5.5rem_minmax(0,1fr)] sm:grid-cols-[9rem_minmax(0,1fr)]"
      >
        <div aria-hidden="true" className="pr-2 text-xs sm:text-sm">
          <p className="truncate text-ink-2" style={{ height: SPECTRUM_PX }}>
            {words.spectrum}
          </p>
          {labels.map((label) => (
            <p key={label} title={label} className="truncate" style={{ height: ROW_PX, lineHeight: `${ROW_PX - 2}px` }}>
              {label}
            </p>
          ))}
          <p className="truncate text-ink-2" style={{ height: AXIS_PX, lineHeight: `${AXIS_PX}px` }}>
            {words.time}
          </p>
        </div>
        <ScoreCanvas state={state} labels={labels} seconds={seconds} />
      </section>
      <p className="mt-3 text-ink-2 text-sm">{words.legend}</p>
    </Panel>
  );
}

function SpanSwitch({ seconds, onChange }: { seconds: number; onChange: (seconds: number) => void }) {
  return (
    <fieldset className="flex shrink-0 rounded-md border border-line-strong text-sm">
      <legend className="sr-only">{words.span}</legend>
      {[PHONE_SECONDS, SHOWN_SECONDS].map((each) => (
        <button
          key={each}
          type="button"
          aria-pressed={each === seconds}
          onClick={() => onChange(each)}
          className="h-8 rounded px-2.5 text-ink-2 aria-pressed:bg-sunken aria-pressed:font-medium aria-pressed:text-ink"
        >
          {words.spanSeconds(each)}
        </button>
      ))}
    </fieldset>
  );
}

function SwapList({ session }: { session: SessionState }) {
  if (session.swaps.length === 0) return null;
  return (
    <section aria-label={words.swaps} aria-live="polite" className="mt-8 text-sm">
      <h2 className="font-semibold text-lg tracking-tight">{words.swaps}</h2>
      <ul className="mt-2">
        {session.swaps.map((swap) => (
          <li key={swap.at}>{words.swapLine(swap.model.model_name, formatTimeOfDay(swap.at))}</li>
        ))}
      </ul>
    </section>
  );
}
