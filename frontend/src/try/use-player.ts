import { type RefObject, useEffect, useMemo, useState } from "react";
import WaveSurfer from "wavesurfer.js";
import Spectrogram from "wavesurfer.js/dist/plugins/spectrogram.esm.js";
import { buildColorScale } from "../theme/color-scale";
import { readToken, useResolvedTheme } from "../theme/theme";

const WAVE_PX = 88;
export const SPECTRUM_PX = 140;
const DRAW_RATE = 16_000;
const CHANNEL_MAX = 255;

export interface Player {
  state: "loading" | "ready" | "failed";
  playing: boolean;
  time: number;
  duration: number;
  toggle: () => void;
  seek: (seconds: number) => void;
}

export interface Places {
  wave: RefObject<HTMLDivElement | null>;
  spectrum: RefObject<HTMLDivElement | null>;
}

/** Draws the recording's waveform and spectrogram and plays it. Times are in seconds. */
export function usePlayer(blob: Blob, places: Places): Player {
  const theme = useResolvedTheme();
  const [surfer, setSurfer] = useState<WaveSurfer>();
  const [state, setState] = useState<Player["state"]>("loading");
  const [playing, setPlaying] = useState(false);
  const [time, setTime] = useState(0);
  const [duration, setDuration] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme decides the colors drawn
  useEffect(() => {
    const { wave, spectrum } = places;
    if (!wave.current || !spectrum.current) return;
    setState("loading");
    setTime(0);
    const made = WaveSurfer.create({
      container: wave.current,
      height: WAVE_PX,
      sampleRate: DRAW_RATE,
      waveColor: readToken("line-strong"),
      progressColor: readToken("accent"),
      cursorWidth: 0,
      barWidth: 2,
      barGap: 1,
      barRadius: 1,
      dragToSeek: true,
      plugins: [
        Spectrogram.create({
          container: spectrum.current,
          height: SPECTRUM_PX,
          fftSamples: 512,
          scale: "mel",
          colorMap: buildColorScale().map((color) => [...color.map((channel) => channel / CHANNEL_MAX), 1]),
        }),
      ],
    });
    made.on("ready", (seconds) => {
      setDuration(seconds);
      setState("ready");
    });
    made.on("error", () => setState("failed"));
    made.on("play", () => setPlaying(true));
    made.on("pause", () => setPlaying(false));
    made.on("finish", () => setPlaying(false));
    made.on("timeupdate", setTime);
    // A recording that cannot be decoded also raises the error event.
    made.loadBlob(blob).catch(() => setState("failed"));
    setSurfer(made);
    return () => made.destroy();
  }, [blob, places, theme]);

  return useMemo(
    () => ({
      state,
      playing,
      time,
      duration,
      toggle: () => void surfer?.playPause(),
      seek: (seconds: number) => surfer?.setTime(seconds),
    }),
    [state, playing, time, duration, surfer],
  );
}
