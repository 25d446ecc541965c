import { afterEach, expect, test, vi } from "vitest";
import { FakeMicrophone } from "../test/microphone";
import { openMicrophone } from "./microphone";

afterEach(() => {
  vi.useRealTimers();
});

test("a browser that runs no sound is named after five seconds, and its microphone is closed", async () => {
  vi.useFakeTimers();
  const microphone = new FakeMicrophone();
  const close = vi.fn(async () => undefined);
  vi.stubGlobal(
    "AudioContext",
    class {
      audioWorklet = { addModule: async () => undefined };
      resume = () => new Promise<never>(() => undefined);
      close = close;
    },
  );
  const outcome = openMicrophone(() => undefined).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(4999);
  expect(close).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(await outcome).toMatchObject({ problem: { code: "microphone_silent" } });
  expect(close).toHaveBeenCalledOnce();
  expect(microphone.open).toBe(0);
});
