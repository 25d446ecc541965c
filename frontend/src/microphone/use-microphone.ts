import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { toProblem } from "../api/problem";
import { type Capture, openMicrophone } from "../audio/microphone";
import { buildStreamUrl, ScoreStream, type StreamState } from "./score-stream";
import { applyMessage, applyThreshold, EMPTY_SESSION, type SessionState } from "./session-state";

export interface Microphone {
  connection: StreamState;
  session: SessionState;
  activeProcessing: readonly string[];
  /** The current spectrum and the seconds captured so far; undefined while the microphone is off. */
  sound: { analyser: AnalyserNode; clock: () => number } | undefined;
  start: (modelId: number | undefined) => Promise<void>;
  stop: () => void;
  setThreshold: (label: string, threshold: number) => void;
  clearCrossings: () => void;
}

/** Connects the microphone with the server's stream and keeps the scores. */
export function useMicrophone(): Microphone {
  const capture = useRef<Capture>(undefined);
  const stream = useRef<ScoreStream>(undefined);
  const [connection, setConnection] = useState<StreamState>("idle");
  const [session, setSession] = useState<SessionState>(EMPTY_SESSION);
  const [activeProcessing, setActiveProcessing] = useState<readonly string[]>([]);
  const [sound, setSound] = useState<Microphone["sound"]>();

  /** The latest call of `start`; an earlier one that still waits for permission must not begin a session. */
  const attempt = useRef(0);

  const stop = useCallback(() => {
    attempt.current += 1;
    stream.current?.stop();
    capture.current?.stop();
    stream.current = undefined;
    capture.current = undefined;
    setSound(undefined);
    setConnection("idle");
  }, []);
  useEffect(() => stop, [stop]);

  const start = useCallback(
    async (modelId: number | undefined) => {
      stop();
      const own = attempt.current;
      setConnection("connecting");
      setSession(({ thresholds }) => ({ ...EMPTY_SESSION, thresholds }));
      try {
        const opened = await openMicrophone((samples) => stream.current?.push(samples));
        if (own !== attempt.current) {
          opened.stop();
          return;
        }
        const scores = new ScoreStream(buildStreamUrl(modelId), opened.sampleRate, {
          onState: setConnection,
          onMessage: (message, offset) => setSession((before) => applyMessage(before, message, offset)),
        });
        capture.current = opened;
        stream.current = scores;
        setActiveProcessing(opened.activeProcessing);
        setSound({ analyser: opened.analyser, clock: () => scores.clock });
      } catch (error) {
        if (own !== attempt.current) return;
        setConnection("idle");
        setSession((before) => ({ ...before, problem: toProblem(error) }));
      }
    },
    [stop],
  );

  const setThreshold = useCallback(
    (label: string, threshold: number) => setSession((before) => applyThreshold(before, label, threshold)),
    [],
  );
  const clearCrossings = useCallback(() => setSession((before) => ({ ...before, crossings: [] })), []);

  return useMemo(
    () => ({ connection, session, activeProcessing, sound, start, stop, setThreshold, clearCrossings }),
    [connection, session, activeProcessing, sound, start, stop, setThreshold, clearCrossings],
  );
}
