"""A stream of samples on a model that this process has loaded."""

from understudy.audio.mono import MonoStream
from understudy.audio.pcm import decode_pcm
from understudy.audio.unusable_samples import SampleMender
from understudy.engine.scheduling.step_watch import StepWatch
from understudy.engine.scheduling.worker_pool import WorkerPool
from understudy.inference.pipeline.pipeline import Pipeline
from understudy.schemas.inference.finding import Finding
from understudy.schemas.inference.stream import StreamedWindow, StreamStart


class LocalStream:
    """Implements `EngineStream`: decodes, resamples and scores on a worker thread.

    `request` is the number by which a step names the stream, see `StepWatch`.
    """

    def __init__(self, pipeline: Pipeline, start: StreamStart, pool: WorkerPool, watch: StepWatch) -> None:
        """Raises NotForAudio for a model that cannot score a stream."""
        self.request = 0
        self._scorer = pipeline.create_stream_scorer(start.sample_rate)
        self._mono = MonoStream(start.channels, start.sample_rate, self._scorer.rate, self._scorer.sound)
        self._mender = SampleMender(start.sample_rate)
        self._start = start
        self._pool = pool
        self._watch = watch

    @property
    def window_seconds(self) -> float:
        return self._scorer.window_seconds

    @property
    def hop_seconds(self) -> float:
        return self._scorer.hop_seconds

    async def push(self, message: bytes) -> list[StreamedWindow]:
        return (await self._pool.infer(self._push, message))[0]

    async def finish(self) -> list[StreamedWindow]:
        return (await self._pool.infer(self._finish))[0]

    def close(self) -> None:
        """There is nothing to free: the state goes with this object."""

    def _push(self, message: bytes) -> list[StreamedWindow]:
        with self._watch.step([self.request]):
            samples = self._mender.mend(decode_pcm(message, self._start.encoding, self._start.channels))
            self._mender.check_stream()
            return self._add_findings(self._scorer.push(self._mono.resample(self._mono.mix(samples))))

    def _finish(self) -> list[StreamedWindow]:
        with self._watch.step([self.request]):
            self._mender.check_stream(ended=True)
            return self._add_findings([*self._scorer.push(self._mono.finish()), *self._scorer.finish()])

    def _add_findings(self, windows: list[StreamedWindow]) -> list[StreamedWindow]:
        """Return the windows, each with the stretches in which one channel stands for all, or silence for samples."""
        if windows:
            self._mono.forget_louder(windows[0].start)
            self._mender.forget_replaced(windows[0].start)
        return [
            window.model_copy(update={"findings": (*window.findings, *findings)})
            if (findings := self._find_between(window.start, window.end))
            else window
            for window in windows
        ]

    def _find_between(self, start: float, end: float) -> list[Finding]:
        return [*self._mender.find_replaced(start, end), *self._mono.find_louder(start, end, timed=False)]
