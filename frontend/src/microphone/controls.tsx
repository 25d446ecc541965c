import { useQuery } from "@tanstack/react-query";
import clsx from "clsx";
import { listMicrophones } from "../audio/microphone";
import { type ModelChoice, ModelSelect } from "../models/model-select";
import { text } from "../text";
import { Button } from "../ui/button";
import { SelectField } from "../ui/field";
import { MicrophoneIcon, StopIcon } from "../ui/icons";
import { formatDeafness } from "./hearing-notice";
import type { Listening, ListeningState } from "./listening";

const words = text.microphone;
/** The meter's range in dBFS. */
const QUIETEST = -70;

interface Props {
  state: ListeningState;
  listening: Listening;
}

export function Controls({ state, listening }: Props) {
  const { connection, activeProcessing, modelId } = state;
  const active = connection !== "idle";
  const choose = (choice: ModelChoice) => listening.setModel(typeof choice === "number" ? choice : undefined);
  return (
    <>
      <div className="flex flex-wrap items-end gap-x-4 gap-y-3">
        {active ? (
          <Button look="danger" onClick={listening.stop} className="min-w-40">
            <StopIcon />
            {words.stop}
          </Button>
        ) : (
          <Button look="primary" onClick={() => void listening.start()} className="min-w-40">
            <MicrophoneIcon />
            {words.start}
          </Button>
        )}
        <ModelSelect label={words.model} value={modelId ?? "live"} onChange={choose} />
        <DeviceSelect state={state} listening={listening} />
      </div>
      <div className="mt-3 flex flex-wrap items-center gap-x-6 gap-y-2">
        <StatusLine state={state} />
        {active && <LevelMeter level={state.level} />}
      </div>
      <p className="mt-2 text-ink-2 text-sm">
        {activeProcessing.length > 0
          ? text.common.microphone.activeProcessing(activeProcessing.join(", "))
          : text.common.microphone.raw}
      </p>
    </>
  );
}

function StatusLine({ state: { connection, hearing, session } }: { state: ListeningState }) {
  const deaf = hearing.kind === "deaf" ? hearing : undefined;
  const good = !deaf && connection === "streaming";
  return (
    <p className="flex min-h-8 items-center gap-2 text-ink-2 text-sm">
      <span
        aria-hidden="true"
        className={clsx("size-2.5 rounded-full", good ? "bg-accent" : deaf ? "bg-warn" : "bg-line-strong")}
      />
      {/* Not a live region while the seconds count: the notice below announces it once. */}
      {deaf ? (
        <span className="font-medium text-warn">{formatDeafness(deaf)}</span>
      ) : (
        <span role="status">
          {words.connections[connection]}
          {good && session.model && `. ${words.answering(session.model.model_name)}`}
        </span>
      )}
    </p>
  );
}

function LevelMeter({ level }: { level: number | undefined }) {
  const heard = level !== undefined && Number.isFinite(level);
  const share = heard ? Math.max(0, Math.min(1, 1 - level / QUIETEST)) : 0;
  const value = heard ? words.levelValue(level.toFixed(0).replace("-", "−")) : words.silent;
  return (
    <div className="flex items-center gap-2 text-ink-2 text-sm">
      <span>{words.level}</span>
      <meter aria-label={words.level} min={QUIETEST} max={0} value={heard ? level : QUIETEST} className="sr-only">
        {value}
      </meter>
      <span aria-hidden="true" className="h-2.5 w-32 overflow-hidden rounded-sm bg-sunken">
        <span
          className={clsx("block h-full", share > 0.98 ? "bg-danger" : "bg-accent")}
          style={{ width: `${share * 100}%` }}
        />
      </span>
      <span aria-hidden="true" className="w-20">
        {value}
      </span>
    </div>
  );
}

/** Chooses the device. The browser names its devices once the page may use one. */
function DeviceSelect({ state, listening }: Props) {
  const allowed = state.sound !== undefined;
  const devices = useQuery({ queryKey: ["microphones", allowed], queryFn: listMicrophones, staleTime: 10_000 }).data;
  if (!devices || devices.length < 2) return null;
  return (
    <SelectField
      label={words.device}
      className="w-60"
      value={state.deviceId ?? ""}
      onChange={(event) => listening.setDevice(event.target.value || undefined)}
    >
      <option value="">{words.defaultDevice}</option>
      {devices
        .filter((device) => device.id !== "default")
        .map((device) => (
          <option key={device.id} value={device.id}>
            {device.name}
          </option>
        ))}
    </SelectField>
  );
}
