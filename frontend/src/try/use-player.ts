import { useEffect, useMemo, useState } from "react";

export interface Player {
  state: "loading" | "ready" | "failed";
  playing: boolean;
  time: number;
  /** Seconds; 0 while it is not known, as of recordings that state none. */
  duration: number;
  toggle: () => void;
  seek: (seconds: number) => void;
}

/** Plays a recording. Times are in seconds. */
export function usePlayer(blob: Blob): Player {
  const [audio, setAudio] = useState<HTMLAudioElement>();
  const [state, setState] = useState<Player["state"]>("loading");
  const [playing, setPlaying] = useState(false);
  const [time, setTime] = useState(0);
  const [duration, setDuration] = useState(0);

  useEffect(() => {
    const made = new Audio();
    const address = URL.createObjectURL(blob);
    const readTime = () => setTime(made.currentTime);
    const readDuration = () => setDuration(Number.isFinite(made.duration) ? made.duration : 0);
    setState("loading");
    setTime(0);
    made.addEventListener("durationchange", readDuration);
    made.addEventListener("loadedmetadata", () => {
      readDuration();
      setState("ready");
    });
    made.addEventListener("error", () => setState("failed"));
    made.addEventListener("play", () => setPlaying(true));
    made.addEventListener("pause", () => setPlaying(false));
    made.addEventListener("ended", () => setPlaying(false));
    made.addEventListener("timeupdate", readTime);
    made.addEventListener("seeking", readTime);
    made.src = address;
    setAudio(made);
    return () => {
      made.pause();
      made.removeAttribute("src");
      URL.revokeObjectURL(address);
    };
  }, [blob]);

  // The element reports its time four times a second, which makes a cursor jump.
  useEffect(() => {
    if (!audio || !playing) return;
    let frame = requestAnimationFrame(function follow() {
      setTime(audio.currentTime);
      frame = requestAnimationFrame(follow);
    });
    return () => cancelAnimationFrame(frame);
  }, [audio, playing]);

  return useMemo(
    () => ({
      state,
      playing,
      time,
      duration,
      toggle: () => {
        if (audio?.paused) audio.play().catch(() => setPlaying(false));
        else audio?.pause();
      },
      seek: (seconds: number) => {
        if (!audio) return;
        audio.currentTime = seconds;
        // At once: React would put a slider back to the old time, which its next event would then seek to.
        setTime(seconds);
      },
    }),
    [state, playing, time, duration, audio],
  );
}
