import type { SampleSource } from "./overview";

const HEADER_BYTES = 1 << 16;
const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

interface WavFormat {
  sampleRate: number;
  channels: number;
  /** Bytes of one sample of one channel. */
  width: number;
  float: boolean;
  start: number;
  bytes: number;
}

/**
 * Opens an uncompressed WAV file without reading it whole: parts of it are read when they are drawn, so that a
 * recording of hours takes no memory. Returns undefined for anything else.
 */
export async function openWav(blob: Blob): Promise<SampleSource | undefined> {
  const format = parseHeader(new DataView(await blob.slice(0, HEADER_BYTES).arrayBuffer()), blob.size);
  if (!format) return undefined;
  const { sampleRate, channels, width, start } = format;
  const frame = channels * width;
  const length = Math.floor(format.bytes / frame);
  const read = async (first: number, count: number) => {
    const end = Math.min(length, first + count);
    const bytes = await blob.slice(start + first * frame, start + end * frame).arrayBuffer();
    return toMono(new DataView(bytes), format);
  };
  return { sampleRate, length, read };
}

function parseHeader(header: DataView, fileBytes: number): WavFormat | undefined {
  const name = (at: number) =>
    String.fromCharCode(...Array.from({ length: 4 }, (_, index) => header.getUint8(at + index)));
  if (header.byteLength < 44 || name(0) !== "RIFF" || name(8) !== "WAVE") return undefined;
  let format: Omit<WavFormat, "start" | "bytes"> | undefined;
  for (let at = 12; at + 8 <= header.byteLength; ) {
    const bytes = header.getUint32(at + 4, true);
    const start = at + 8;
    if (name(at) === "fmt " && start + 16 <= header.byteLength) {
      const stated = header.getUint16(start, true);
      const code = stated === EXTENSIBLE && bytes >= 26 ? header.getUint16(start + 24, true) : stated;
      const width = header.getUint16(start + 14, true) / 8;
      const known = code === PCM ? [1, 2, 3, 4].includes(width) : code === FLOAT && width === 4;
      const channels = header.getUint16(start + 2, true);
      const sampleRate = header.getUint32(start + 4, true);
      if (!known || channels === 0 || sampleRate === 0) return undefined;
      format = { sampleRate, channels, width, float: code === FLOAT };
    }
    // A recorder that was cut off, or that streams, states a length that the file does not have.
    if (name(at) === "data") return format && { ...format, start, bytes: Math.min(bytes, fileBytes - start) };
    at = start + bytes + (bytes % 2);
  }
  return undefined;
}

function toMono(data: DataView, { channels, width, float }: WavFormat): Float32Array<ArrayBuffer> {
  const samples = new Float32Array(Math.floor(data.byteLength / (channels * width)));
  const get = makeReader(data, width, float);
  for (let index = 0; index < samples.length; index += 1) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel += 1) sum += get((index * channels + channel) * width);
    samples[index] = sum / channels;
  }
  return samples;
}

function makeReader(data: DataView, width: number, float: boolean): (at: number) => number {
  if (float) return (at) => data.getFloat32(at, true);
  if (width === 1) return (at) => (data.getUint8(at) - 128) / 128;
  if (width === 2) return (at) => data.getInt16(at, true) / 32_768;
  if (width === 3) return (at) => (data.getInt16(at + 1, true) * 256 + data.getUint8(at)) / 8_388_608;
  return (at) => data.getInt32(at, true) / 2_147_483_648;
}
