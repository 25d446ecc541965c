import { useEffect, useRef, useState } from "react";
import { toProblem } from "../api/problem";
import type { Problem } from "../api/types";
import { type Capture, openMicrophone } from "../audio/microphone";
import { toWav } from "../audio/pcm";
import { formatClock } from "../format/numbers";
import { text } from "../text";
import { Button } from "../ui/button";
import { MicrophoneIcon, StopIcon } from "../ui/icons";
import { ProblemNotice } from "../ui/notice";
import { type Clip, makeClip } from "./prediction-query";

const words = text.tryIt.source;

/** Records the microphone into a WAV file, without compression. */
export function Recorder({ onClip }: { onClip: (clip: Clip) => void }) {
  const capture = useRef<Capture>(undefined);
  const blocks = useRef<Float32Array[]>([]);
  const [seconds, setSeconds] = useState<number>();
  const [activeProcessing, setActiveProcessing] = useState<string[]>([]);
  const [problem, setProblem] = useState<Problem>();
  const recording = seconds !== undefined;

  const mounted = useRef(true);

  useEffect(() => {
    mounted.current = true;
    return () => {
      mounted.current = false;
      capture.current?.stop();
    };
  }, []);

  const start = async () => {
    setProblem(undefined);
    blocks.current = [];
    let samples = 0;
    try {
      const opened = await openMicrophone((block) => {
        blocks.current.push(block);
        samples += block.length;
        if (capture.current) setSeconds(samples / capture.current.sampleRate);
      });
      if (!mounted.current) {
        opened.stop();
        return;
      }
      capture.current = opened;
      setActiveProcessing(opened.activeProcessing);
      setSeconds(0);
    } catch (error) {
      setProblem(toProblem(error));
    }
  };

  const stop = () => {
    const opened = capture.current;
    if (!opened) return;
    opened.stop();
    capture.current = undefined;
    setSeconds(undefined);
    const name = words.recordingName(new Date().toLocaleTimeString().replaceAll(":", "."));
    onClip(makeClip(name, toWav(blocks.current, opened.sampleRate)));
  };

  return (
    <div>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        {recording ? (
          <Button look="danger" onClick={stop}>
            <StopIcon />
            {words.stop(formatClock(seconds, 0))}
          </Button>
        ) : (
          <Button onClick={() => void start()}>
            <MicrophoneIcon />
            {words.record}
          </Button>
        )}
        <p className="min-w-0 flex-1 basis-56 text-ink-2 text-sm">
          {activeProcessing.length > 0
            ? text.common.microphone.activeProcessing(activeProcessing.join(", "))
            : text.common.microphone.raw}
        </p>
      </div>
      {problem && (
        <div className="mt-3">
          <ProblemNotice problem={problem} />
        </div>
      )}
    </div>
  );
}
