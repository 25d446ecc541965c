import { expect, test } from "vitest";
import { PowerSpectrum } from "./fft";
import { computeOverview, type Overview, type OverviewSpan } from "./overview";
import { openWav } from "./wav-source";

const RATE = 16_000;
const tone = (seconds: number, hertz: number, gain = 0.5) =>
  Float32Array.from({ length: seconds * RATE }, (_, at) => gain * Math.sin((2 * Math.PI * hertz * at) / RATE));

const toSource = (samples: Float32Array<ArrayBuffer>) => ({
  sampleRate: RATE,
  length: samples.length,
  read: async (first: number, count: number) => samples.slice(first, first + count),
});

async function draw(samples: Float32Array<ArrayBuffer>, span: OverviewSpan): Promise<Overview> {
  const overview = await computeOverview(toSource(samples), span);
  if (!overview) throw new Error("It was stopped");
  return overview;
}

const getColumn = ({ levels, columns, rows }: Overview, index: number) =>
  Array.from({ length: rows }, (_, row) => levels[row * columns + index] ?? 0);

test("the spectrum of a tone has its peak in the tone's bin, with the power of its definition", () => {
  const power = new Float32Array(257);
  new PowerSpectrum(512).compute(tone(1, (RATE / 512) * 40), 0, power);
  expect(power.indexOf(Math.max(...power))).toBe(40);
  // A sine of amplitude a under a Hann window of n samples: (a n / 4) squared.
  expect(power[40]).toBeCloseTo((0.5 * 512) ** 2 / 16, 0);
});

test("the picture has the peaks and the loudest row where the tone is, and silence is empty", async () => {
  const samples = new Float32Array(2 * RATE);
  // Quiet enough to stay below the brightest level.
  samples.set(tone(1, 1000, 0.01));
  const overview = await draw(samples, { from: 0, to: 2, columns: 10, rows: 40 });
  expect(overview.peaks[2]).toBeCloseTo(0.01, 3);
  expect(overview.peaks[8]).toBe(0);
  const row = getColumn(overview, 2).indexOf(Math.max(...getColumn(overview, 2)));
  // 1000 Hz lies at 1000 of 2840 mel.
  expect(row).toBeGreaterThan(24);
  expect(row).toBeLessThan(28);
  expect(Math.max(...getColumn(overview, 8))).toBe(0);
});

test("a part of a recording is drawn at the resolution of the whole picture", async () => {
  const samples = new Float32Array(60 * RATE);
  samples.set(tone(1, 1000), 30 * RATE);
  const { peaks } = await draw(samples, { from: 29, to: 32, columns: 3, rows: 4 });
  expect([...peaks].map((peak) => Math.round(peak * 10) / 10)).toEqual([0, 0.5, 0]);
});

test("a picture that nobody waits for any more is not computed further", async () => {
  const shares: number[] = [];
  const span = { from: 0, to: 60, columns: 600, rows: 4 };
  const overview = await computeOverview(toSource(new Float32Array(60 * RATE)), span, (share) => {
    shares.push(share);
    return false;
  });
  expect(overview).toBeUndefined();
  expect(shares).toHaveLength(1);
});

function makeWav(code: number, bits: number, channels: number, data: ArrayBuffer, stated = data.byteLength): Blob {
  const header = new DataView(new ArrayBuffer(44));
  const write = (at: number, name: string) => new Uint8Array(header.buffer).set(new TextEncoder().encode(name), at);
  write(0, "RIFF");
  write(8, "WAVEfmt ");
  header.setUint32(16, 16, true);
  header.setUint16(20, code, true);
  header.setUint16(22, channels, true);
  header.setUint32(24, RATE, true);
  header.setUint16(34, bits, true);
  write(36, "data");
  header.setUint32(40, stated, true);
  return new Blob([header, data]);
}

test.each<[string, Blob]>([
  ["8 bits", makeWav(1, 8, 1, new Uint8Array([128, 192, 64]).buffer)],
  ["16 bits", makeWav(1, 16, 1, new Int16Array([0, 16_384, -16_384]).buffer)],
  ["24 bits", makeWav(1, 24, 1, new Uint8Array([0, 0, 0, 0, 0, 0x40, 0, 0, 0xc0]).buffer)],
  ["32 bits", makeWav(1, 32, 1, new Int32Array([0, 2 ** 30, -(2 ** 30)]).buffer)],
  ["floats", makeWav(3, 32, 1, new Float32Array([0, 0.5, -0.5]).buffer)],
  ["stereo", makeWav(1, 16, 2, new Int16Array([0, 0, 32_767, 1, -32_768, 0]).buffer)],
  ["a stated length beyond the file", makeWav(1, 16, 1, new Int16Array([0, 16_384, -16_384]).buffer, 0xffffffff)],
])("a WAV file of %s is read in parts", async (_, blob) => {
  const source = await openWav(blob);
  expect([source?.length, source?.sampleRate]).toEqual([3, RATE]);
  const samples = await source?.read(1, 99);
  expect([...(samples ?? [])].map((sample) => Math.round(sample * 1000) / 1000)).toEqual([0.5, -0.5]);
});

test.each<[string, Blob]>([
  ["another format", new Blob(["OggS".padEnd(100)])],
  ["a compressed WAV file", makeWav(0x55, 16, 1, new ArrayBuffer(10))],
  ["an empty file", new Blob([])],
])("%s is left to the browser's decoder", async (_, blob) => {
  expect(await openWav(blob)).toBeUndefined();
});
