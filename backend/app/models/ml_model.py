"""Re-exports the documented table `ml_models`."""

from understudy.models.ml_model import MlModel

__all__ = ["MlModel"]
