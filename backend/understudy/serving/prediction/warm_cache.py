"""Models kept warm beside the live one, for `?model_id=` and for going back."""

from collections import OrderedDict

from understudy.inference.pipeline.pipeline import Pipeline


class WarmCache:
    """The pipelines used last, each known by what it was made of; the least recent leaves first."""

    def __init__(self, capacity: int = 4) -> None:
        self._capacity = capacity
        self._pipelines: OrderedDict[str, Pipeline] = OrderedDict()

    def get(self, key: str) -> Pipeline | None:
        pipeline = self._pipelines.get(key)
        if pipeline is not None:
            self._pipelines.move_to_end(key)
        return pipeline

    def put(self, key: str, pipeline: Pipeline) -> None:
        self._pipelines[key] = pipeline
        self._pipelines.move_to_end(key)
        while len(self._pipelines) > self._capacity:
            self._pipelines.popitem(last=False)
