import { useEffect, useState } from "react";
import type { TimeSpan } from "../time-view";
import { decodeInto } from "./decode";
import type { Overview } from "./overview";
import type { PictureAnswer, PictureRequest } from "./picture.worker";

const ROWS = 140;
const MOST_COLUMNS = 4096;

export interface Picture {
  state: "drawing" | "drawn" | "failed" | "too-long";
  /** The share of the picture that is computed, 0 to 1. */
  share: number;
  /** The latest picture, which may still be that of an earlier view. */
  overview: Overview | undefined;
  /** Seconds, or 0 while it is not known. */
  duration: number;
}

const BEGUN: Picture = { state: "drawing", share: 0, overview: undefined, duration: 0 };

interface Opened {
  worker: Worker;
  duration: number;
}

/** Computes the picture of a view of a recording in a worker. `width` is that of the strips in CSS pixels. */
export function usePicture(blob: Blob, view: TimeSpan | undefined, width: number): Picture {
  const [picture, setPicture] = useState(BEGUN);
  const [opened, setOpened] = useState<Opened>();

  useEffect(() => {
    const worker = new Worker(new URL("./picture.worker.ts", import.meta.url), { type: "module" });
    const abort = new AbortController();
    setPicture(BEGUN);
    const open = (duration: number) => {
      setPicture((before) => ({ ...before, duration }));
      setOpened({ worker, duration });
    };
    const fail = (state: Picture["state"]) => {
      if (!abort.signal.aborted) setPicture((before) => ({ ...before, state }));
    };
    worker.onerror = () => fail("failed");
    worker.onmessage = ({ data }: MessageEvent<PictureAnswer>) => {
      if (data.type === "opened") open(data.duration);
      else if (data.type === "not-wav")
        void decodeInto(worker, blob, abort.signal).then(open, (why) => fail(toState(why)));
      else if (data.type === "unreadable") fail("failed");
      else if (data.type === "progress") setPicture((before) => ({ ...before, share: data.share }));
      else setPicture((before) => ({ ...before, state: "drawn", overview: data.overview }));
    };
    send(worker, { type: "open", blob });
    return () => {
      abort.abort();
      worker.terminate();
      setOpened(undefined);
    };
  }, [blob]);

  const [from, to] = [view?.start ?? 0, view?.end ?? 0];
  useEffect(() => {
    if (!opened || width === 0) return;
    const columns = Math.min(MOST_COLUMNS, Math.round(width * devicePixelRatio));
    const end = to > from ? to : opened.duration;
    setPicture((before) => ({ ...before, state: "drawing", share: 0 }));
    send(opened.worker, { type: "draw", span: { from, to: end, columns, rows: ROWS } });
  }, [opened, from, to, width]);

  return picture;
}

const send = (worker: Worker, message: PictureRequest) => worker.postMessage(message);

const toState = (why: unknown): Picture["state"] => (why instanceof RangeError ? "too-long" : "failed");
