import { type Colour, colourRamp } from "../audio/ramp";
import { SHOWN_SECONDS } from "./record";

const COLUMNS_A_SECOND = 30;
const COLUMNS = SHOWN_SECONDS * COLUMNS_A_SECOND;
const ROWS = 96;
const LOWEST_HZ = 60;
const HIGHEST_HZ = 12_000;
const FLOOR_DB = -100;
const CEILING_DB = -25;

/** The last thirty seconds of spectrum in a ring of columns, mel-spaced from 60 Hz to 12 kHz. */
export class RollingSpectrum {
  readonly #canvas = document.createElement("canvas");
  readonly #context: CanvasRenderingContext2D | null;
  readonly #column: ImageData;
  readonly #decibels: Float32Array<ArrayBuffer>;
  readonly #bins: readonly number[];
  #ramp: readonly Colour[] = [];
  #last = -1;

  constructor(private readonly analyser: AnalyserNode) {
    this.#canvas.width = COLUMNS;
    this.#canvas.height = ROWS;
    this.#context = this.#canvas.getContext("2d");
    this.#column = new ImageData(1, ROWS);
    this.#decibels = new Float32Array(analyser.frequencyBinCount);
    this.#bins = melBins(analyser.context.sampleRate, analyser.frequencyBinCount);
    this.repaint();
  }

  /** Takes the theme's colours anew; what was drawn in the old ones goes. */
  repaint(): void {
    this.#ramp = colourRamp();
    this.#context?.clearRect(0, 0, COLUMNS, ROWS);
  }

  /** Adds the spectrum as it is now, at `time` seconds. */
  add(time: number): void {
    const newest = Math.floor(time * COLUMNS_A_SECOND);
    if (newest <= this.#last) return;
    this.analyser.getFloatFrequencyData(this.#decibels);
    for (let row = 0; row < ROWS; row += 1) {
      const level = this.#decibels[this.#bins[row] ?? 0] ?? FLOOR_DB;
      const share = Math.max(0, Math.min(1, (level - FLOOR_DB) / (CEILING_DB - FLOOR_DB)));
      const [red, green, blue] = this.#ramp[Math.round(share * (this.#ramp.length - 1))] ?? [0, 0, 0];
      this.#column.data.set([red, green, blue, 255], row * 4);
    }
    const from = Math.max(this.#last + 1, newest - COLUMNS + 1);
    for (let at = from; at <= newest; at += 1) this.#context?.putImageData(this.#column, at % COLUMNS, 0);
    this.#last = newest;
  }

  /** Draws the thirty seconds that end at `time` over the given size. */
  draw(target: CanvasRenderingContext2D, time: number, width: number, height: number): void {
    const scale = width / COLUMNS;
    const newest = Math.floor(time * COLUMNS_A_SECOND);
    const cut = (newest + 1) % COLUMNS;
    if (newest < COLUMNS) {
      target.drawImage(
        this.#canvas,
        0,
        0,
        newest + 1,
        ROWS,
        width - (newest + 1) * scale,
        0,
        (newest + 1) * scale,
        height,
      );
      return;
    }
    const older = COLUMNS - cut;
    if (older > 0) target.drawImage(this.#canvas, cut, 0, older, ROWS, 0, 0, older * scale, height);
    if (cut > 0) target.drawImage(this.#canvas, 0, 0, cut, ROWS, older * scale, 0, cut * scale, height);
  }
}

/** For each row from the top, the analyser's bin; rows are evenly spaced in mel (HTK: 2595 log10(1 + f / 700)). */
function melBins(sampleRate: number, binCount: number): number[] {
  const mel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700);
  const top = mel(Math.min(HIGHEST_HZ, sampleRate / 2));
  const bottom = mel(LOWEST_HZ);
  return Array.from({ length: ROWS }, (_, row) => {
    const hertz = 700 * (10 ** ((top - (row / (ROWS - 1)) * (top - bottom)) / 2595) - 1);
    return Math.min(binCount - 1, Math.round((hertz / (sampleRate / 2)) * binCount));
  });
}
