import { yieldToPage } from "../../browser/yield-to-page";
import type { PictureRequest } from "./picture.worker";

/** Samples that are handed to the worker at once: a copy of 4 MB takes a few milliseconds. */
const PART = 1 << 20;
const SAMPLE_RATE = 16_000;
/** The browser decodes a file as a whole: two hours of stereo at 44.1 kHz take 2.5 GB while it does. */
const LONGEST_SECONDS = 2 * 3600;
const LARGEST_BYTES = 500_000_000;

/**
 * Decodes a recording with the browser and hands its samples to the worker in parts. Returns the duration in seconds.
 *
 * Throws a `RangeError` for a recording that is too long, and another error where the browser cannot decode it or
 * `signal` is aborted.
 */
export async function decodeInto(worker: Worker, blob: Blob, signal: AbortSignal): Promise<number> {
  const stated = await readDuration(blob);
  if (blob.size > LARGEST_BYTES || (Number.isFinite(stated) && stated > LONGEST_SECONDS)) {
    throw new RangeError("The recording is too long to decode");
  }
  signal.throwIfAborted();
  const context = new OfflineAudioContext(1, 1, SAMPLE_RATE);
  const sound = await context.decodeAudioData(await blob.arrayBuffer());
  signal.throwIfAborted();
  const send = (message: PictureRequest, transfer: Transferable[] = []) => worker.postMessage(message, { transfer });
  send({ type: "begin", length: sound.length, sampleRate: SAMPLE_RATE });
  for (let channel = 0; channel < sound.numberOfChannels; channel += 1) {
    for (let at = 0; at < sound.length; at += PART) {
      const samples = new Float32Array(Math.min(PART, sound.length - at));
      sound.copyFromChannel(samples, channel, at);
      send({ type: "samples", samples, at, gain: 1 / sound.numberOfChannels }, [samples.buffer]);
      // The page answers clicks between two parts.
      await yieldToPage();
      signal.throwIfAborted();
    }
  }
  return sound.duration;
}

/** Returns the seconds that the file's header states; infinity where it states none. */
function readDuration(blob: Blob): Promise<number> {
  const audio = new Audio();
  audio.preload = "metadata";
  return new Promise<number>((resolve) => {
    audio.onloadedmetadata = () => resolve(audio.duration);
    audio.onerror = () => resolve(Number.POSITIVE_INFINITY);
    audio.src = URL.createObjectURL(blob);
  }).finally(() => URL.revokeObjectURL(audio.src));
}
