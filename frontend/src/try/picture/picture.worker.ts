// Computes the pictures of one recording outside of the page's thread. A WAV file is read here; the samples of other
// files come from the page in parts, because only a page can decode them.
import { yieldToPage } from "../../browser/yield-to-page";
import { computeOverview, type Overview, type OverviewSpan, type SampleSource } from "./overview";
import { openWav } from "./wav-source";

export type PictureRequest =
  | { type: "open"; blob: Blob }
  | { type: "begin"; length: number; sampleRate: number }
  | { type: "samples"; samples: Float32Array<ArrayBuffer>; at: number; gain: number }
  | { type: "draw"; span: OverviewSpan };

export type PictureAnswer =
  | { type: "opened"; duration: number }
  | { type: "not-wav" }
  /** The file was changed or removed meanwhile. */
  | { type: "unreadable" }
  | { type: "progress"; share: number }
  | { type: "picture"; overview: Overview };

const INT16_MAX = 32_767;
let source: SampleSource | undefined;
let decoded = new Int16Array(0);
let latest = 0;

const answer = (message: PictureAnswer, transfer: Transferable[] = []) => postMessage(message, { transfer });

addEventListener("message", ({ data }: MessageEvent<PictureRequest>) => {
  if (data.type === "open") void open(data.blob);
  else if (data.type === "begin") begin(data.length, data.sampleRate);
  else if (data.type === "samples") add(data.samples, data.at, data.gain);
  else draw(data.span).catch(() => answer({ type: "unreadable" }));
});

async function open(blob: Blob): Promise<void> {
  source = await openWav(blob).catch(() => undefined);
  answer(source ? { type: "opened", duration: source.length / source.sampleRate } : { type: "not-wav" });
}

function begin(length: number, sampleRate: number): void {
  decoded = new Int16Array(length);
  const read = async (first: number, count: number) =>
    Float32Array.from(decoded.subarray(first, first + count), (sample) => sample / INT16_MAX);
  source = { sampleRate, length, read };
}

function add(samples: Float32Array, at: number, gain: number): void {
  for (let index = 0; index < samples.length; index += 1) {
    const sample = Math.max(-1, Math.min(1, samples[index] ?? 0));
    decoded[at + index] = (decoded[at + index] ?? 0) + Math.round(sample * gain * INT16_MAX);
  }
}

/** Draws a span, unless another one is asked for meanwhile. */
async function draw(span: OverviewSpan): Promise<void> {
  latest += 1;
  const own = latest;
  if (!source) return;
  const overview = await computeOverview(source, span, async (share) => {
    answer({ type: "progress", share });
    // Messages are read between two parts.
    await yieldToPage();
    return own === latest;
  });
  if (overview) answer({ type: "picture", overview }, [overview.peaks.buffer, overview.levels.buffer]);
}
