/** Computes the power spectrum of real frames of one length (a power of two), windowed with a periodic Hann window. */
export class PowerSpectrum {
  readonly size: number;
  readonly #window: Float32Array;
  readonly #cosines: Float32Array;
  readonly #sines: Float32Array;
  readonly #reversed: Uint32Array;
  readonly #real: Float32Array;
  readonly #imaginary: Float32Array;

  constructor(size: number) {
    this.size = size;
    const bits = Math.log2(size);
    const half = Array.from({ length: size / 2 }, (_, index) => (2 * Math.PI * index) / size);
    this.#window = Float32Array.from(
      { length: size },
      (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / size),
    );
    this.#cosines = Float32Array.from(half, Math.cos);
    this.#sines = Float32Array.from(half, Math.sin);
    this.#reversed = Uint32Array.from({ length: size }, (_, index) => reverseBits(index, bits));
    this.#real = new Float32Array(size);
    this.#imaginary = new Float32Array(size);
  }

  /** Writes the power of size / 2 + 1 bins of the frame at `start` into `power`. Samples past the end count as zero. */
  compute(samples: Float32Array, start: number, power: Float32Array): void {
    const [real, imaginary] = [this.#real, this.#imaginary];
    imaginary.fill(0);
    for (let index = 0; index < this.size; index += 1) {
      real[this.#reversed[index] ?? 0] = (samples[start + index] ?? 0) * (this.#window[index] ?? 0);
    }
    for (let width = 2; width <= this.size; width *= 2) this.#combine(width);
    for (let bin = 0; bin <= this.size / 2; bin += 1) power[bin] = (real[bin] ?? 0) ** 2 + (imaginary[bin] ?? 0) ** 2;
  }

  /** One stage of the radix-2 transform by Cooley and Tukey: joins transforms of width / 2 to transforms of `width`. */
  #combine(width: number): void {
    const [real, imaginary] = [this.#real, this.#imaginary];
    const step = this.size / width;
    for (let first = 0; first < this.size; first += width) {
      for (let index = 0; index < width / 2; index += 1) {
        const [low, high] = [first + index, first + index + width / 2];
        const [cosine, sine] = [this.#cosines[index * step] ?? 0, this.#sines[index * step] ?? 0];
        const [x, y] = [real[high] ?? 0, imaginary[high] ?? 0];
        const turnedReal = x * cosine + y * sine;
        const turnedImaginary = y * cosine - x * sine;
        real[high] = (real[low] ?? 0) - turnedReal;
        imaginary[high] = (imaginary[low] ?? 0) - turnedImaginary;
        real[low] = (real[low] ?? 0) + turnedReal;
        imaginary[low] = (imaginary[low] ?? 0) + turnedImaginary;
      }
    }
  }
}

function reverseBits(value: number, bits: number): number {
  let reversed = 0;
  for (let bit = 0; bit < bits; bit += 1) reversed |= ((value >> bit) & 1) << (bits - 1 - bit);
  return reversed;
}
