import type { Color } from "../theme/color-scale";
import { SHOWN_SECONDS } from "./session-state";

const COLUMNS_A_SECOND = 30;
const COLUMNS = SHOWN_SECONDS * COLUMNS_A_SECOND;
const ROWS = 96;
const LOWEST_HZ = 60;
const HIGHEST_HZ = 12_000;
const FLOOR_DB = -100;
const CEILING_DB = -25;
const LEVELS = 255;
/** A late block fills at most this many columns; a longer pause stays empty. */
const MOST_FILLED = 10;

/** Keeps the last thirty seconds of spectrum in a ring of columns, mel-spaced from 60 Hz to 12 kHz. */
export class RollingSpectrogram {
  readonly #canvas = document.createElement("canvas");
  readonly #context = this.#canvas.getContext("2d");
  /** Level 0 to 255 of each row of each column, for painting again when the theme changes. */
  readonly #levels = new Uint8Array(COLUMNS * ROWS);
  readonly #column = new ImageData(1, ROWS);
  readonly #analyser: AnalyserNode;
  readonly #decibels: Float32Array<ArrayBuffer>;
  readonly #bins: readonly number[];
  #ramp: readonly Color[] = [];
  #first = 0;
  #last = -1;

  constructor(analyser: AnalyserNode) {
    this.#canvas.width = COLUMNS;
    this.#canvas.height = ROWS;
    this.#analyser = analyser;
    this.#decibels = new Float32Array(analyser.frequencyBinCount);
    this.#bins = computeMelBins(analyser.context.sampleRate, analyser.frequencyBinCount);
  }

  /** Paints all kept columns again with other colors. */
  recolor(ramp: readonly Color[]): void {
    this.#ramp = ramp;
    for (let at = this.#oldest; at <= this.#last; at += 1) this.#paint(at);
  }

  /** Adds the current spectrum at `time` (seconds since 1970). */
  add(time: number): void {
    const newest = Math.floor(time * COLUMNS_A_SECOND);
    if (newest <= this.#last) return;
    if (this.#last < 0) this.#first = newest;
    this.#analyser.getFloatFrequencyData(this.#decibels);
    const before = this.#last;
    const from = Math.max(this.#last + 1, this.#first, newest - COLUMNS + 1);
    this.#last = newest;
    for (let at = from; at <= newest; at += 1) {
      const start = (at % COLUMNS) * ROWS;
      const missing = before >= 0 && newest - before > MOST_FILLED && at <= newest - MOST_FILLED;
      this.#bins.forEach((bin, row) => {
        const share = missing ? 0 : ((this.#decibels[bin] ?? FLOOR_DB) - FLOOR_DB) / (CEILING_DB - FLOOR_DB);
        this.#levels[start + row] = Math.round(Math.max(0, Math.min(1, share)) * LEVELS);
      });
      this.#paint(at);
    }
  }

  /** Draws the `span` seconds that end at `time` into width x height pixels. */
  draw(target: CanvasRenderingContext2D, time: number, span: number, width: number, height: number): void {
    const scale = width / (span * COLUMNS_A_SECOND);
    const x = (at: number) => width - (time * COLUMNS_A_SECOND - at) * scale;
    const oldest = this.#oldest;
    const turn = oldest - (oldest % COLUMNS) + COLUMNS;
    for (const [from, to] of [
      [oldest, Math.min(turn, this.#last + 1)],
      [turn, this.#last + 1],
    ] as const) {
      if (to <= from) continue;
      target.drawImage(this.#canvas, from % COLUMNS, 0, to - from, ROWS, x(from), 0, (to - from) * scale, height);
    }
  }

  get #oldest(): number {
    return Math.max(this.#first, this.#last - COLUMNS + 1);
  }

  #paint(at: number): void {
    const start = (at % COLUMNS) * ROWS;
    for (let row = 0; row < ROWS; row += 1) {
      const [red, green, blue] = this.#ramp[this.#levels[start + row] ?? 0] ?? [0, 0, 0];
      this.#column.data.set([red, green, blue, 255], row * 4);
    }
    this.#context?.putImageData(this.#column, at % COLUMNS, 0);
  }
}

/** Returns the analyser's bin of each row, from the top. Rows are evenly spaced in mel (HTK: 2595 log10(1 + f / 700)). */
function computeMelBins(sampleRate: number, binCount: number): number[] {
  const mel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700);
  const top = mel(Math.min(HIGHEST_HZ, sampleRate / 2));
  const bottom = mel(LOWEST_HZ);
  return Array.from({ length: ROWS }, (_, row) => {
    const hertz = 700 * (10 ** ((top - (row / (ROWS - 1)) * (top - bottom)) / 2595) - 1);
    return Math.min(binCount - 1, Math.round((hertz / (sampleRate / 2)) * binCount));
  });
}
