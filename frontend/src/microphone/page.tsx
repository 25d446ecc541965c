import clsx from "clsx";
import { useState } from "react";
import { formatClock } from "../format/numbers";
import { type ModelChoice, ModelSelect } from "../models/model-select";
import { text } from "../text";
import { Button } from "../ui/button";
import { MicrophoneIcon, StopIcon } from "../ui/icons";
import { Page, PageTitle, Panel } from "../ui/layout";
import { Empty, ProblemNotice } from "../ui/notice";
import { AXIS_PX, ROW_PX, ScoreCanvas, SPECTRUM_PX } from "./score-canvas";
import { pickShownLabels, type SessionState } from "./session-state";
import { ThresholdCrossings } from "./threshold-crossings";
import { ThresholdSliders } from "./threshold-sliders";
import { type Microphone, useMicrophone } from "./use-microphone";

const words = text.microphone;

export function MicrophonePage() {
  const microphone = useMicrophone();
  const [model, setModel] = useState<ModelChoice>("live");
  const { session, connection } = microphone;
  const labels = pickShownLabels(session);
  return (
    <Page wide>
      <PageTitle lead={words.lead}>{words.title}</PageTitle>
      <Controls microphone={microphone} model={model} onModel={setModel} />
      {session.problem && (
        <div className="mt-5">
          <ProblemNotice problem={session.problem} />
        </div>
      )}
      <div className="mt-6">
        {microphone.sound && labels.length > 0 ? (
          <ScorePanel microphone={microphone} sound={microphone.sound} labels={labels} />
        ) : (
          connection === "idle" && session.windows.length === 0 && <Empty title={words.emptyTitle}>{words.empty}</Empty>
        )}
      </div>
      {labels.length > 0 && (
        <div className="grid gap-x-10 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
          <ThresholdSliders session={session} labels={labels} onChange={microphone.setThreshold} />
          <ThresholdCrossings crossings={session.crossings} onClear={microphone.clearCrossings} />
        </div>
      )}
      <SwapList session={session} />
    </Page>
  );
}

interface ControlsProps {
  microphone: Microphone;
  model: ModelChoice;
  onModel: (model: ModelChoice) => void;
}

function Controls({ microphone, model, onModel }: ControlsProps) {
  const { connection, session, activeProcessing } = microphone;
  const listening = connection !== "idle";
  const chosen = typeof model === "number" ? model : undefined;
  return (
    <>
      <div className="flex flex-wrap items-end gap-x-4 gap-y-3">
        {listening ? (
          <Button look="danger" onClick={microphone.stop} className="min-w-40">
            <StopIcon />
            {words.stop}
          </Button>
        ) : (
          <Button look="primary" onClick={() => void microphone.start(chosen)} className="min-w-40">
            <MicrophoneIcon />
            {words.start}
          </Button>
        )}
        <ModelSelect
          label={words.model}
          value={model}
          onChange={(choice) => {
            onModel(choice);
            if (listening) void microphone.start(typeof choice === "number" ? choice : undefined);
          }}
        />
        <p role="status" className="flex min-h-10 items-center gap-2 text-ink-2 text-sm">
          <span
            aria-hidden="true"
            className={clsx(
              "size-2.5 rounded-full",
              connection === "streaming" ? "bg-accent" : connection === "waiting" ? "bg-danger" : "bg-line-strong",
            )}
          />
          {words.connections[connection]}
          {connection === "streaming" && session.model && `. ${words.answering(session.model.model_name)}`}
        </p>
      </div>
      <p className="mt-3 text-ink-2 text-sm">
        {activeProcessing.length > 0
          ? text.common.microphone.activeProcessing(activeProcessing.join(", "))
          : text.common.microphone.raw}
      </p>
    </>
  );
}

interface ScorePanelProps {
  microphone: Microphone;
  sound: NonNullable<Microphone["sound"]>;
  labels: readonly string[];
}

function ScorePanel({ microphone, sound, labels }: ScorePanelProps) {
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
        <ScoreCanvas sound={sound} session={microphone.session} labels={labels} />
      </section>
    </Panel>
  );
}

function SwapList({ session }: { session: SessionState }) {
  if (session.swaps.length === 0) return null;
  return (
    <section aria-label={words.swaps} aria-live="polite" className="mt-8 text-sm">
      <h2 className="font-semibold text-lg tracking-tight">{words.swaps}</h2>
      <ul className="mt-2">
        {session.swaps.map((swap) => (
          <li key={swap.at}>{words.swapLine(swap.model.model_name, formatClock(swap.at))}</li>
        ))}
      </ul>
    </section>
  );
}
