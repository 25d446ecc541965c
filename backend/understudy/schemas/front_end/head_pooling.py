"""The places where a trained head averages over time: its scores after it, or the embeddings before it."""

from enum import StrEnum

from understudy.schemas.front_end.pooling import Pooling


class HeadPooling(StrEnum):
    """The statistics of a clip's embeddings that a head takes, in the words of a spec's `pooling`."""

    NONE = "none"  # each window is scored, and the scores are averaged
    MEAN = "mean"
    MEAN_STD = "mean+std"

    @property
    def spec(self) -> Pooling:
        """The field `pooling` of the head's spec."""
        return Pooling.model_validate(self.value)

    @property
    def epochs(self) -> int:
        """The passes over the recordings that a training makes by default: a pooled clip is one row, not ten."""
        return 25 if self is HeadPooling.NONE else 100
