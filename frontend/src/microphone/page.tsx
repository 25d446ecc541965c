import clsx from "clsx";
import { useState } from "react";
import { clock } from "../format/numbers";
import { type Choice, ModelChoice } from "../models/model-select";
import { text } from "../text";
import { Button } from "../ui/button";
import { MicrophoneIcon, StopIcon } from "../ui/icons";
import { Page, PageTitle, Panel } from "../ui/layout";
import { Empty, ProblemNotice } from "../ui/notice";
import { AXIS_PX, LiveCanvas, ROW_PX, SPECTRUM_PX } from "./score-canvas";
import { type LiveRecord, shownLabels } from "./session-state";
import { Crossings } from "./threshold-crossings";
import { Thresholds } from "./threshold-sliders";
import { type Listening, useLiveSession } from "./use-session";

const words = text.live;

export function LivePage() {
  const session = useLiveSession();
  const [model, setModel] = useState<Choice>("live");
  const { record, state } = session;
  const labels = shownLabels(record);
  return (
    <Page wide>
      <PageTitle lead={words.lead}>{words.title}</PageTitle>
      <Controls session={session} model={model} onModel={setModel} />
      {record.problem && (
        <div className="mt-5">
          <ProblemNotice problem={record.problem} />
        </div>
      )}
      <div className="mt-6">
        {session.sound && labels.length > 0 ? (
          <Strip session={session} sound={session.sound} labels={labels} />
        ) : (
          state === "idle" && record.windows.length === 0 && <Empty title={words.emptyTitle}>{words.empty}</Empty>
        )}
      </div>
      {labels.length > 0 && (
        <div className="grid gap-x-10 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
          <Thresholds record={record} labels={labels} onChange={session.setThreshold} />
          <Crossings crossings={record.crossings} onClear={session.clearCrossings} />
        </div>
      )}
      <SwapList record={record} />
    </Page>
  );
}

interface ControlsProps {
  session: Listening;
  model: Choice;
  onModel: (model: Choice) => void;
}

function Controls({ session, model, onModel }: ControlsProps) {
  const { state, record, altered } = session;
  const listening = state !== "idle";
  const chosen = typeof model === "number" ? model : undefined;
  return (
    <>
      <div className="flex flex-wrap items-end gap-x-4 gap-y-3">
        {listening ? (
          <Button look="danger" onClick={session.stop} className="min-w-40">
            <StopIcon />
            {words.stop}
          </Button>
        ) : (
          <Button look="primary" onClick={() => void session.start(chosen)} className="min-w-40">
            <MicrophoneIcon />
            {words.start}
          </Button>
        )}
        <ModelChoice
          label={words.model}
          value={model}
          onChange={(choice) => {
            onModel(choice);
            if (listening) void session.start(typeof choice === "number" ? choice : undefined);
          }}
        />
        <p role="status" className="flex min-h-10 items-center gap-2 text-ink-2 text-sm">
          <span
            aria-hidden="true"
            className={clsx(
              "size-2.5 rounded-full",
              state === "streaming" ? "bg-accent" : state === "waiting" ? "bg-danger" : "bg-line-strong",
            )}
          />
          {words.states[state]}
          {state === "streaming" && record.model && `. ${words.answering(record.model.model_name)}`}
        </p>
      </div>
      <p className="mt-3 text-ink-2 text-sm">
        {altered.length > 0 ? text.common.microphone.altered(altered.join(", ")) : text.common.microphone.raw}
      </p>
    </>
  );
}

interface StripProps {
  session: Listening;
  sound: NonNullable<Listening["sound"]>;
  labels: readonly string[];
}

function Strip({ session, sound, labels }: StripProps) {
  return (
    <Panel className="p-4 sm:p-6">
      <section
        aria-label={words.strip}
        className="grid grid-cols-[5.5rem_minmax(0,1fr)] sm:grid-cols-[9rem_minmax(0,1fr)]"
      >
        <div aria-hidden="true" className="pr-2 text-xs sm:text-sm">
          <p className="truncate text-ink-2" style={{ height: SPECTRUM_PX }}>
            {words.spectrum}
          </p>
          {labels.map((label) => (
            <p key={label} className="truncate" style={{ height: ROW_PX, lineHeight: `${ROW_PX - 2}px` }}>
              {label}
            </p>
          ))}
          <p className="truncate text-ink-2" style={{ height: AXIS_PX, lineHeight: `${AXIS_PX}px` }}>
            {words.time}
          </p>
        </div>
        <LiveCanvas sound={sound} record={session.record} labels={labels} />
      </section>
    </Panel>
  );
}

function SwapList({ record }: { record: LiveRecord }) {
  if (record.swaps.length === 0) return null;
  return (
    <section aria-label={words.swaps} aria-live="polite" className="mt-8 text-sm">
      <h2 className="font-semibold text-lg tracking-tight">{words.swaps}</h2>
      <ul className="mt-2">
        {record.swaps.map((swap) => (
          <li key={swap.at}>{words.swapLine(swap.model.model_name, clock(swap.at))}</li>
        ))}
      </ul>
    </section>
  );
}
