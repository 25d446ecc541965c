/** Returns the RMS level of samples in [-1, 1] in dBFS, minus infinity for digital silence. */
export function measureLevel(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return 10 * Math.log10(sum / Math.max(1, samples.length));
}
