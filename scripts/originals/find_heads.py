"""Train a small head of each kind on ESC-10, and search its spec from 12 examples that its own script answered.

    python -m scripts.originals.find_heads OUT librosa=/envs/librosa/bin/python torch=… [--only WORD]

Each argument names the Python of an environment with the library. This script runs in Understudy's own environment with
the development packages (Keras trains, tf.signal makes features), from the repository's root. Clips come from
UNDERSTUDY_TEST_DATA. OUT gets the features, the models and their examples; the table of docs/spec-find.md is printed.
"""

import asyncio
import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from scripts.originals.heads import HEADS, Head
from scripts.originals.yamnet_network import WholeModel
from understudy.registry.files.examples_csv import read_folder
from understudy.serving.spec_finding import FoundSpec, find_spec
from understudy.settings import Settings
from understudy.yamnet.install import install_backbone

DATA = Path(os.environ.get("UNDERSTUDY_TEST_DATA", "../shared/data")).resolve()
TRAINED = 8  # clips of each label, from folds 1 to 4
EXAMPLES = 12  # clips of fold 5
SECONDS = 300.0
LIBRARIES = ("librosa", "torch", "tensorflow")


def list_clips() -> tuple[list[str], list[Path], list[Path]]:
    """Return the labels, the clips to train on and the clips of the examples."""
    folders = sorted(path for path in (DATA / "esc10").iterdir() if path.is_dir())
    train, held = [], []
    for folder in folders:
        clips = sorted(folder.iterdir())
        train += [clip for clip in clips if clip.name[0] != "5"][:TRAINED]
        held += [clip for clip in clips if clip.name[0] == "5"][:2]
    return [folder.name for folder in folders], train, held[:: len(held) // EXAMPLES][:EXAMPLES]


def compute_features(pythons: dict[str, str], clips: list[Path], out: Path) -> dict[str, Any]:
    """Return the features of every head and clip by "head|path"; those computed before are read."""
    listed = out / "clips.txt"
    listed.write_text("\n".join(map(str, clips)), encoding="utf-8")
    features: dict[str, Any] = {}
    for library in LIBRARIES:
        made = out / f"{library}.npz"
        if not made.is_file():
            command = [pythons.get(library, sys.executable), "-m", "scripts.originals.head_features", library]
            subprocess.run([*command, str(listed), str(made)], check=True)  # noqa: S603 - the caller names it
        with np.load(made) as stored:
            features |= {name: stored[name] for name in stored}
    return features


def build_network(shape: tuple[int, ...], labels: int) -> keras.Model:
    """Return a small network for vectors, or one with convolutions for matrices and pictures."""
    layers: list[Any] = [keras.Input(shape)]
    if len(shape) == 2:
        layers += [keras.layers.Reshape((*shape, 1))]
    layers.append(keras.layers.BatchNormalization(axis=1 if len(shape) == 1 else -1))
    if len(shape) > 1:
        first = shape[0] == 1
        layers += [keras.layers.Permute((2, 3, 1))] if first else []
        for filters in (8, 16):
            layers.append(keras.layers.Conv2D(filters, 3, strides=2, activation="relu", padding="same"))
        layers.append(keras.layers.GlobalAveragePooling2D())
    layers += [keras.layers.Dense(32, activation="relu"), keras.layers.Dense(labels, activation="softmax")]
    network = keras.Sequential(layers)
    network.compile("adam", "sparse_categorical_crossentropy")
    return network


def train_head(head: Head, labels: list[str], train: list[Path], held: list[Path], features: Any, out: Path) -> Path:
    """Write the model and its examples; return the model's path."""
    keras.utils.set_random_seed(1)
    out.mkdir(parents=True, exist_ok=True)
    items = [features[f"{head.name}|{clip}"] for clip in train]
    wanted = [labels.index(clip.parent.name) for clip in train]
    if head.windows:
        wanted = [label for label, rows in zip(wanted, items, strict=True) for _ in rows]
        items = [row for rows in items for row in rows]
    inputs = np.stack(items)
    mean, std = (inputs.mean(axis=0), inputs.std(axis=0)) if head.scaled else (0.0, 1.0)
    if head.scaled:
        numbers = {"mean": np.asarray(mean).tolist(), "std": np.asarray(std).tolist()}
        (out / "scaler.json").write_text(json.dumps(numbers), encoding="utf-8")
    network = build_network(inputs.shape[1:], len(labels))
    network.fit((inputs - mean) / std, np.array(wanted), epochs=40, batch_size=16, verbose=0)
    model = out / ("whole" if head.whole else "head.keras")
    if head.whole:
        tf.saved_model.save(WholeModel(network), str(model))
    else:
        network.save(model)
    rows = []
    for clip in held:
        own = features[f"{head.name}|{clip}"]
        scores = network.predict((own if head.windows else own[None] - mean) / std, verbose=0).mean(axis=0)
        (out / clip.name).write_bytes(clip.read_bytes())
        rows.append([clip.name, labels[int(scores.argmax())], *(f"{score:.6f}" for score in scores)])
    with (out / "examples.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["file", "label", *labels], *rows])
    return model


def search(model: Path, labels: list[str], settings: Settings) -> FoundSpec:
    examples = [(clip.path.read_bytes(), clip.expected) for clip in read_folder(model.parent / "examples.csv")]
    return asyncio.run(
        find_spec(
            settings,
            model,
            examples,
            tuple(labels),
            seconds=SECONDS,
            on_step=lambda _step: None,
            on_trial=lambda _tried, _best: None,
        )
    )


def format_row(head: Head, found: FoundSpec) -> str:
    result = found.result
    if not result.best:
        return f"| {head.name} | nothing fits | {result.tried} | {result.seconds:.0f} | | |"
    best = result.best[0]
    worst = max(proof.max_difference or 0.0 for proof in best.proofs)
    agreed = f"{best.agreed} of {len(best.proofs)}, {worst:.1g}"
    answer = "yes" if found.agrees else "no"
    return f"| {head.name} | {answer} | {result.tried} | {result.seconds:.0f} | {agreed} | {'; '.join(best.steps)} |"


def main(arguments: list[str]) -> None:
    only = arguments[arguments.index("--only") + 1] if "--only" in arguments else ""
    out = Path(arguments[0]).resolve()
    (out / "home").mkdir(parents=True, exist_ok=True)
    pythons = dict(argument.split("=", maxsplit=1) for argument in arguments if "=" in argument)
    settings = Settings(home=out / "home")
    if not settings.backbone_path.is_file():
        install_backbone(settings, DATA / "yamnet" / "yamnet.npz")
    labels, train, held = list_clips()
    features = compute_features(pythons, [*train, *held], out)
    for place, head in enumerate(HEADS):
        if only in head.name:
            model = train_head(head, labels, train, held, features, out / f"{place:02d}")
            sys.stdout.write(format_row(head, search(model, labels, settings)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
