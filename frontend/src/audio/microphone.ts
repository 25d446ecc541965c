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

const RAW: MediaTrackConstraints = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

/**
 * Opens the microphone without the browser's processing and calls `onBlock` with mono samples in [-1, 1].
 * Throws a `ProblemError` when the microphone is not available.
 */
export async function openMicrophone(onBlock: (samples: Float32Array<ArrayBuffer>) => void): Promise<Capture> {
  if (!navigator.mediaDevices) throw makeMicrophoneProblem("insecure");
  const stream = await navigator.mediaDevices.getUserMedia({ audio: RAW }).catch((error: unknown) => {
    const name = error instanceof DOMException ? error.name : "";
    throw makeMicrophoneProblem(name === "NotAllowedError" ? "denied" : name === "NotFoundError" ? "absent" : "failed");
  });
  const context = new AudioContext();
  const stop = () => {
    for (const track of stream.getTracks()) track.stop();
    void context.close();
  };
  try {
    await context.audioWorklet.addModule(workletUrl);
    await context.resume();
  } catch (error) {
    stop();
    throw error;
  }
  const source = context.createMediaStreamSource(stream);
  const worklet = new AudioWorkletNode(context, "understudy-capture", { numberOfOutputs: 0 });
  const analyser = new AnalyserNode(context, { fftSize: 2048, smoothingTimeConstant: 0 });
  worklet.port.onmessage = (message: MessageEvent<Float32Array<ArrayBuffer>>) => onBlock(message.data);
  source.connect(worklet);
  source.connect(analyser);
  return { sampleRate: context.sampleRate, analyser, activeProcessing: listActiveProcessing(stream), stop };
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
