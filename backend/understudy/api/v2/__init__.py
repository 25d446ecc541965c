"""The Open Inference Protocol, version 2, over REST: what clients of Triton and KServe speak."""

from understudy.api.v2.metadata import router

__all__ = ["router"]
