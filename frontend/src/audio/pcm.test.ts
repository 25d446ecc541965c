import { expect, test } from "vitest";
import { parseHex } from "../theme/color-scale";
import { toPcm16, toWav } from "./pcm";

test("samples become little-endian 16-bit integers and are clipped at full scale", () => {
  const view = new DataView(toPcm16(new Float32Array([0, 0.5, -1, 2])));
  expect([0, 2, 4, 6].map((at) => view.getInt16(at, true))).toEqual([0, 16384, -32767, 32767]);
});

test("a recording is a mono 16-bit WAV of its own rate", async () => {
  const wav = toWav([new Float32Array(3), new Float32Array(2)], 44_100);
  const view = new DataView(await wav.arrayBuffer());
  const word = (at: number) => String.fromCharCode(...[0, 1, 2, 3].map((step) => view.getUint8(at + step)));
  expect([word(0), word(8), word(36)]).toEqual(["RIFF", "WAVE", "data"]);
  expect(view.getUint32(4, true)).toBe(wav.size - 8);
  expect(view.getUint16(22, true)).toBe(1);
  expect(view.getUint32(24, true)).toBe(44_100);
  expect(view.getUint32(40, true)).toBe(10);
});

test("a token's color is read as three channels", () => {
  expect(parseHex("#0b7358")).toEqual([11, 115, 88]);
});
