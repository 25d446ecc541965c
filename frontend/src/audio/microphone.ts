import { ProblemError } from "../api/problem";
import { text } from "../text";
import workletUrl from "./capture.worklet.ts?worker&url";

export interface Capture {
  sampleRate: number;
  analyser: AnalyserNode;
  /** Processing that the browser applies although the page asked for none. */
  activeProcessing: string[];
  stop: () => void;
}

export interface MicrophoneDevice {
  id: string;
  name: string;
}

interface CaptureOptions {
  /** The browser's default device without it. */
  deviceId?: string | undefined;
  /** Called when the device is taken away. */
  onEnd?: () => void;
}

interface Block {
  samples: Float32Array<ArrayBuffer>;
  at: number;
}

const START_MS = 5000;
const RAW: MediaTrackConstraints = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

/**
 * Opens the microphone without the browser's processing. Calls `onBlock` with mono samples in [-1, 1] and the time of
 * their end in milliseconds since 1970. Throws a `ProblemError` when the microphone is not available.
 */
export async function openMicrophone(
  onBlock: (samples: Float32Array<ArrayBuffer>, at: number) => void,
  { deviceId, onEnd }: CaptureOptions = {},
): Promise<Capture> {
  if (!navigator.mediaDevices) throw makeMicrophoneProblem("insecure");
  const audio = deviceId === undefined ? RAW : { ...RAW, deviceId: { exact: deviceId } };
  const stream = await navigator.mediaDevices.getUserMedia({ audio }).catch((error: unknown) => {
    throw makeMicrophoneProblem(KINDS[error instanceof DOMException ? error.name : ""] ?? "failed");
  });
  const context = new AudioContext();
  const stop = () => {
    for (const track of stream.getTracks()) track.stop();
    void context.close();
  };
  try {
    await context.audioWorklet.addModule(workletUrl);
    await startSound(context);
  } catch (error) {
    stop();
    throw error;
  }
  const source = context.createMediaStreamSource(stream);
  const worklet = new AudioWorkletNode(context, "understudy-capture", { numberOfOutputs: 0 });
  const analyser = new AnalyserNode(context, { fftSize: 2048, smoothingTimeConstant: 0 });
  worklet.port.onmessage = ({ data }: MessageEvent<Block>) => onBlock(data.samples, data.at);
  for (const track of stream.getTracks()) track.onended = () => onEnd?.();
  source.connect(worklet);
  source.connect(analyser);
  return { sampleRate: context.sampleRate, analyser, activeProcessing: listActiveProcessing(stream), stop };
}

/** Starts the audio. Firefox waits for ever where the machine has no output for sound. */
async function startSound(context: AudioContext): Promise<void> {
  let late: ReturnType<typeof setTimeout> | undefined;
  const silent = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(makeMicrophoneProblem("silent")), START_MS);
  });
  await Promise.race([context.resume(), silent]).finally(() => clearTimeout(late));
}

const KINDS: Record<string, keyof typeof text.common.microphone.problems> = {
  NotAllowedError: "denied",
  NotFoundError: "absent",
  OverconstrainedError: "absent",
};

/** Returns the microphones. Browsers name them only to a page that may use one. */
export async function listMicrophones(): Promise<MicrophoneDevice[]> {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return devices
    .filter((device) => device.kind === "audioinput" && device.deviceId !== "" && device.label !== "")
    .map((device) => ({ id: device.deviceId, name: device.label }));
}

function listActiveProcessing(stream: MediaStream): string[] {
  const settings = stream.getAudioTracks()[0]?.getSettings() ?? {};
  const names = text.common.microphone.processing;
  return [
    ...(settings.autoGainControl ? [names.gain] : []),
    ...(settings.noiseSuppression ? [names.noise] : []),
    ...(settings.echoCancellation ? [names.echo] : []),
  ];
}

function makeMicrophoneProblem(kind: keyof typeof text.common.microphone.problems): ProblemError {
  return new ProblemError({
    type: "about:blank",
    code: `microphone_${kind}`,
    status: 0,
    ...text.common.microphone.problems[kind],
  });
}
