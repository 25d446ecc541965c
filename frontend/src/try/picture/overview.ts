import { PowerSpectrum } from "./fft";

/** Mono samples in [-1, 1] that are read in parts. */
export interface SampleSource {
  sampleRate: number;
  /** The number of samples. */
  length: number;
  /** Returns the samples from `first` on: `count`, or fewer at the end. */
  read: (first: number, count: number) => Promise<Float32Array<ArrayBuffer>>;
}

/** The part of a recording to draw, and at which resolution. Times are seconds. */
export interface OverviewSpan {
  from: number;
  to: number;
  columns: number;
  rows: number;
}

/** Waveform and spectrogram of a part of a recording at the resolution of a screen. */
export interface Overview extends OverviewSpan {
  /** Largest absolute sample of each column, 0 to 1. */
  peaks: Float32Array<ArrayBuffer>;
  /** Level of each pixel, 0 to 255, row by row from the highest frequency. */
  levels: Uint8Array<ArrayBuffer>;
}

export const HIGHEST_HZ = 8000;
const FRAME_SECONDS = 0.032;
/** Frames of a column that are averaged at most; the others of a long recording are left out of its picture. */
const MOST_FRAMES = 6;
const READ_SAMPLES = 1 << 18;
/** Levels of a bin that are drawn darkest and brightest, in dB below a sine of full scale. */
const FLOOR_DB = -100;
const CEILING_DB = -30;
const LEVELS = 255;

/**
 * Computes the picture of a span. `onProgress` gets a share from 0 to 1 between two parts, and answers whether to go
 * on. Returns undefined when it said no.
 */
export async function computeOverview(
  source: SampleSource,
  span: OverviewSpan,
  onProgress: (share: number) => boolean | Promise<boolean> = () => true,
): Promise<Overview | undefined> {
  const { columns, rows, from, to } = span;
  const { sampleRate, length } = source;
  const overview = { ...span, peaks: new Float32Array(columns), levels: new Uint8Array(columns * rows) };
  const writer = new ColumnWriter(overview, sampleRate);
  const [first, perColumn] = [from * sampleRate, ((to - from) * sampleRate) / columns];
  const together = Math.max(1, Math.floor(READ_SAMPLES / Math.max(1, perColumn)));
  for (let column = 0; column < columns; column += together) {
    const last = Math.min(columns, column + together);
    // The frames of the outer columns reach beyond them.
    const begin = Math.max(0, Math.floor(first + column * perColumn) - writer.frame);
    const end = Math.min(length, Math.ceil(first + last * perColumn) + writer.frame);
    const samples = await source.read(begin, Math.max(0, end - begin));
    for (let each = column; each < last; each += 1) {
      writer.write(each, samples, first + each * perColumn - begin, first + (each + 1) * perColumn - begin);
    }
    if (!(await onProgress(last / columns))) return undefined;
  }
  return overview;
}

/** Computes one column of a picture after the other. */
class ColumnWriter {
  /** Samples of a frame. */
  readonly frame: number;
  readonly #overview: Overview;
  readonly #spectrum: PowerSpectrum;
  readonly #power: Float32Array;
  readonly #sum: Float32Array;
  readonly #bins: (readonly [number, number])[];

  constructor(overview: Overview, sampleRate: number) {
    this.frame = 2 ** Math.round(Math.log2(sampleRate * FRAME_SECONDS));
    this.#overview = overview;
    this.#spectrum = new PowerSpectrum(this.frame);
    this.#power = new Float32Array(this.frame / 2 + 1);
    this.#sum = new Float32Array(this.frame / 2 + 1);
    this.#bins = computeRowBins(sampleRate, this.frame, overview.rows);
  }

  /** Writes the column that spans the samples from `from` to `to`. */
  write(column: number, samples: Float32Array, from: number, to: number): void {
    const { peaks, levels, columns, rows } = this.#overview;
    const start = Math.max(0, Math.floor(from));
    const end = Math.min(samples.length, Math.max(start + 1, Math.floor(to)));
    if (end <= start) return;
    peaks[column] = findPeak(samples, start, end);
    const frames = Math.min(MOST_FRAMES, Math.max(1, Math.floor((end - start) / (this.frame / 2))));
    this.#sum.fill(0);
    for (let index = 0; index < frames; index += 1) {
      const center = start + ((index + 0.5) * (end - start)) / frames;
      this.#spectrum.compute(samples, Math.max(0, Math.round(center - this.frame / 2)), this.#power);
      for (let bin = 0; bin < this.#sum.length; bin += 1) {
        this.#sum[bin] = (this.#sum[bin] ?? 0) + (this.#power[bin] ?? 0) / frames;
      }
    }
    // The power of a sine of full scale under a Hann window.
    const whole = (this.frame / 4) ** 2;
    for (let row = 0; row < rows; row += 1) {
      levels[row * columns + column] = toLevel(this.#sum, this.#bins[row] ?? [0, 0], whole);
    }
  }
}

function findPeak(samples: Float32Array, start: number, end: number): number {
  let peak = 0;
  for (let index = start; index < end; index += 1) {
    const value = Math.abs(samples[index] ?? 0);
    if (value > peak) peak = value;
  }
  return Math.min(1, peak);
}

function toLevel(power: Float32Array, [from, to]: readonly [number, number], whole: number): number {
  let most = 0;
  for (let bin = from; bin < to; bin += 1) most = Math.max(most, power[bin] ?? 0);
  const decibels = 10 * Math.log10(most / whole + 1e-20);
  return Math.round(Math.max(0, Math.min(1, (decibels - FLOOR_DB) / (CEILING_DB - FLOOR_DB))) * LEVELS);
}

/**
 * Returns the bins of each row, from the top; rows are evenly spaced in mel (HTK: 2595 log10(1 + f / 700)) from 0 to
 * `HIGHEST_HZ`. Rows above half the sample rate have none.
 */
function computeRowBins(sampleRate: number, frame: number, rows: number): (readonly [number, number])[] {
  const top = 2595 * Math.log10(1 + HIGHEST_HZ / 700);
  const toBin = (row: number) => (700 * (10 ** ((top * (1 - row / rows)) / 2595) - 1) * frame) / sampleRate;
  const most = frame / 2 + 1;
  return Array.from({ length: rows }, (_, row) => {
    const from = Math.floor(toBin(row + 1));
    return [Math.min(from, most), Math.min(most, Math.max(from + 1, Math.ceil(toBin(row))))] as const;
  });
}
