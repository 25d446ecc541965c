/** A pause between blocks that is longer than this is an interruption of the sound, not a late block. */
const INTERRUPTION_SECONDS = 1;

/**
 * Tells the time of the captured sound, in seconds since 1970: the start plus what was captured.
 *
 * The capture stands still while the machine sleeps or the device is taken away. The clock then jumps over that time.
 */
export class CaptureClock {
  readonly #sampleRate: number;
  #start: number;
  #samples = 0;
  #lastAt: number | undefined;

  constructor(sampleRate: number, start = Date.now() / 1000) {
    this.#sampleRate = sampleRate;
    this.#start = start;
  }

  /** Counts a block that ended at `at` (milliseconds since 1970). Returns true when sound is missing before it. */
  add(samples: number, at: number): boolean {
    const seconds = samples / this.#sampleRate;
    const pause = this.#lastAt === undefined ? 0 : (at - this.#lastAt) / 1000 - seconds;
    this.#lastAt = at;
    this.#samples += samples;
    const interrupted = pause > INTERRUPTION_SECONDS;
    if (interrupted) this.#start += pause;
    return interrupted;
  }

  /** The end of the captured sound. */
  get time(): number {
    return this.#start + this.#samples / this.#sampleRate;
  }
}
