"""A part of a front end that is computed from samples without a shared transform."""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray


class SampleFeature(ABC):
    """Computes the features of one part from a whole clip."""

    @abstractmethod
    def compute(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the features float32 [frames, features] of mono `samples` float32 [n].

        Raises AudioUnusable when the clip is too short.
        """
