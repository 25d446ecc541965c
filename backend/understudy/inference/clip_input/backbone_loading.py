"""Load a backbone, the built-in one or an installed one, from its file."""

from pathlib import Path

from understudy.backbones.store import MANIFEST_FILE
from understudy.inference.clip_input.backbone import Backbone
from understudy.inference.clip_input.installed_backbone import InstalledBackbone
from understudy.inference.clip_input.yamnet_backbone import YamnetBackbone


def load_backbone(path: Path) -> Backbone:
    """Load the backbone whose manifest, or whose ONNX file of YAMNet, is at `path`; raises BackboneMissing."""
    if path.name == MANIFEST_FILE:
        return InstalledBackbone.load(path.parent)
    return YamnetBackbone.load(path)
