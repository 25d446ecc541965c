import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { problemFrom } from "../api/problem";
import { type Capture, openMicrophone } from "../audio/microphone";
import { ScoreStream, type StreamState, streamAddress } from "./score-stream";
import { EMPTY_RECORD, type LiveRecord, received, withThreshold } from "./session-state";

export interface Listening {
  state: StreamState;
  record: LiveRecord;
  altered: readonly string[];
  /** For drawing: the spectrum now and the seconds heard so far; undefined while not listening. */
  sound: { analyser: AnalyserNode; clock: () => number } | undefined;
  start: (modelId: number | undefined) => Promise<void>;
  stop: () => void;
  setThreshold: (label: string, threshold: number) => void;
  clearCrossings: () => void;
}

/** The microphone, the stream to the server and what came of it. */
export function useLiveSession(): Listening {
  const capture = useRef<Capture>(undefined);
  const stream = useRef<ScoreStream>(undefined);
  const [state, setState] = useState<StreamState>("idle");
  const [record, setRecord] = useState<LiveRecord>(EMPTY_RECORD);
  const [altered, setAltered] = useState<readonly string[]>([]);
  const [sound, setSound] = useState<Listening["sound"]>();

  const stop = useCallback(() => {
    stream.current?.stop();
    capture.current?.stop();
    stream.current = undefined;
    capture.current = undefined;
    setSound(undefined);
    setState("idle");
  }, []);
  useEffect(() => stop, [stop]);

  const start = useCallback(
    async (modelId: number | undefined) => {
      stop();
      setState("connecting");
      setRecord(({ thresholds }) => ({ ...EMPTY_RECORD, thresholds }));
      try {
        const opened = await openMicrophone((samples) => stream.current?.push(samples));
        const scores = new ScoreStream(streamAddress(modelId), opened.sampleRate, {
          onState: setState,
          onMessage: (message, offset) => setRecord((before) => received(before, message, offset)),
        });
        capture.current = opened;
        stream.current = scores;
        setAltered(opened.altered);
        setSound({ analyser: opened.analyser, clock: () => scores.clock });
      } catch (error) {
        setState("idle");
        setRecord((before) => ({ ...before, problem: problemFrom(error) }));
      }
    },
    [stop],
  );

  const setThreshold = useCallback(
    (label: string, threshold: number) => setRecord((before) => withThreshold(before, label, threshold)),
    [],
  );
  const clearCrossings = useCallback(() => setRecord((before) => ({ ...before, crossings: [] })), []);

  return useMemo(
    () => ({ state, record, altered, sound, start, stop, setThreshold, clearCrossings }),
    [state, record, altered, sound, start, stop, setThreshold, clearCrossings],
  );
}
