"""The documented table `ml_models` under its documented path."""

from understudy.models.ml_model import MlModel

__all__ = ["MlModel"]
