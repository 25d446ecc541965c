const RATE = 16_000;
const HEADER_BYTES = 44;

/** Makes a mono PCM16 WAV. Pitch and loudness change every second, so that windows differ. */
export function wav(seconds: number): Buffer<ArrayBuffer> {
  const samples = seconds * RATE;
  const file = Buffer.alloc(HEADER_BYTES + samples * 2);
  file.write("RIFF", 0);
  file.writeUInt32LE(file.length - 8, 4);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(RATE, 24);
  file.writeUInt32LE(RATE * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36);
  file.writeUInt32LE(samples * 2, 40);
  for (let at = 0; at < samples; at++) {
    const second = Math.floor(at / RATE);
    const pitch = 220 * 2 ** (second % 4);
    const loudness = 0.1 + 0.2 * (second % 3);
    file.writeInt16LE(
      Math.round(loudness * 32767 * Math.sin((2 * Math.PI * pitch * at) / RATE)),
      HEADER_BYTES + at * 2,
    );
  }
  return file;
}
