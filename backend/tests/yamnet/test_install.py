"""Every format of YAMNet's weights gives the same backbone."""

import http.server
import io
import itertools
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from understudy.audio.opening import AudioLimits, open_clip
from understudy.compiler.compiler import Compiler
from understudy.compiler.model_source import compute_digest
from understudy.errors import BackboneMissing, DownloadFailed, FileMissing, FormatUnknown, ModelUnsafe
from understudy.inference.pipeline.pipeline import Pipeline
from understudy.schemas.compiler.spec import InputKind, OutputActivation
from understudy.settings import Settings
from understudy.yamnet import weights as backbone_weights
from understudy.yamnet.class_map import read_class_names
from understudy.yamnet.constants import CHANNELS
from understudy.yamnet.install import install_backbone, read_installed_backbone

Raw = dict[str, NDArray[np.float32]]
Patches = NDArray[np.float32]
_EPSILON = 1e-4


@pytest.fixture(scope="module")
def raw() -> Raw:
    """Random weights as Keras names them, before folding, scaled so that signals neither vanish nor explode."""
    rng = np.random.default_rng(7)
    weights: Raw = {}

    def layer(name: str, kernel: tuple[int, ...], width: int, fan_in: int) -> None:
        suffix = "depthwise_kernel" if name.endswith("depthwise_conv") else "kernel"
        weights[f"{name}/{suffix}"] = (rng.standard_normal(kernel) * (2 / fan_in) ** 0.5).astype(np.float32)
        weights[f"{name}/bn/beta"] = rng.uniform(-0.1, 0.3, width).astype(np.float32)
        weights[f"{name}/bn/moving_mean"] = rng.uniform(-0.2, 0.2, width).astype(np.float32)
        weights[f"{name}/bn/moving_variance"] = rng.uniform(0.5, 2, width).astype(np.float32)

    channels = CHANNELS
    layer("layer1/conv", (3, 3, 1, channels[0]), channels[0], 9)
    for number, (width, after) in enumerate(itertools.pairwise(channels), start=2):
        layer(f"layer{number}/depthwise_conv", (3, 3, width, 1), width, 9)
        layer(f"layer{number}/pointwise_conv", (1, 1, width, after), after, width)
    weights["dense/kernel"] = (rng.standard_normal((1024, 521)) * 0.03).astype(np.float32)
    weights["dense/bias"] = rng.uniform(-1, 1, 521).astype(np.float32)
    return weights


@pytest.fixture(scope="module")
def patches() -> Patches:
    return np.random.default_rng(8).uniform(-6.9, 3, (3, 96, 64)).astype(np.float32)


@pytest.fixture(scope="module")
def reference(raw: Raw, patches: Patches) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return embeddings and scores computed in double precision with the batch norm unfolded."""
    net = patches[:, :, :, None].astype(np.float64)
    net = _apply_batch_norm(_convolve(net, raw["layer1/conv/kernel"], 2), raw, "layer1/conv")
    for number in range(2, 15):
        name = f"layer{number}/depthwise_conv"
        stride = 2 if number in (3, 5, 7, 13) else 1
        net = _apply_batch_norm(_convolve(net, raw[f"{name}/depthwise_kernel"], stride, depthwise=True), raw, name)
        name = f"layer{number}/pointwise_conv"
        net = _apply_batch_norm(net @ raw[f"{name}/kernel"][0, 0].astype(np.float64), raw, name)
    embeddings = net.mean(axis=(1, 2))
    return embeddings, 1 / (1 + np.exp(-(embeddings @ raw["dense/kernel"] + raw["dense/bias"])))


def _convolve(
    net: NDArray[np.float64], kernel: NDArray[np.float32], stride: int, *, depthwise: bool = False
) -> NDArray[np.float64]:
    """3 x 3, TensorFlow's SAME: on an even size, stride 2 pads the bottom and the right only."""
    before = 0 if stride == 2 else 1
    padded = np.pad(net, ((0, 0), (before, 1), (before, 1), (0, 0)))
    rows, columns = net.shape[1] // stride, net.shape[2] // stride
    total = np.zeros(1)
    for row in range(3):
        for column in range(3):
            part = padded[:, row : row + rows * stride : stride, column : column + columns * stride : stride]
            tap = kernel[row, column].astype(np.float64)
            total = total + (part * tap[:, 0] if depthwise else part @ tap)
    return total


def _apply_batch_norm(net: NDArray[np.float64], raw: Raw, name: str) -> NDArray[np.float64]:
    deviation = np.sqrt(raw[f"{name}/bn/moving_variance"].astype(np.float64) + _EPSILON)
    return np.maximum((net - raw[f"{name}/bn/moving_mean"]) / deviation + raw[f"{name}/bn/beta"], 0)


def _write_h5(raw: Raw, path: Path) -> None:
    """The layout of Keras 2's `save_weights`: a group a layer, its weights' full names as an attribute."""
    with h5py.File(path, "w") as file:
        layers = sorted({name.rsplit("/", 1)[0] for name in raw})
        file.attrs["layer_names"] = [layer.encode() for layer in layers]
        for layer in layers:
            group = file.create_group(layer) if layer not in file else file[layer]
            names = [name for name in raw if name.rsplit("/", 1)[0] == layer]
            group.attrs["weight_names"] = [f"{name}:0".encode() for name in names]
            for name in names:
                group.create_dataset(f"{name}:0", data=raw[name])


@pytest.fixture(scope="module")
def h5(raw: Raw, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "yamnet.h5"
    _write_h5(raw, path)
    return path


@pytest.fixture(scope="module")
def npz(raw: Raw, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "yamnet.npz"
    np.savez(path, allow_pickle=False, **backbone_weights.fold_batch_norm(raw, "test"))
    return path


def _run(path: Path, patches: Patches) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    embeddings, scores = ort.InferenceSession(path).run(["embeddings", "scores"], {"patches": patches})
    return embeddings, scores


@pytest.mark.parametrize("form", ["h5", "npz"])
def test_the_graph_computes_what_the_unfolded_network_computes(
    form: str,
    request: pytest.FixtureRequest,
    settings: Settings,
    patches: Patches,
    reference: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    info = install_backbone(settings, request.getfixturevalue(form))
    embeddings, scores = _run(info.path, patches)
    np.testing.assert_allclose(embeddings, reference[0], atol=2e-5 * np.abs(reference[0]).max())
    np.testing.assert_allclose(scores, reference[1], atol=2e-5)
    assert np.std(reference[0], axis=0).max() > 0.01, "the reference must depend on its input"


@pytest.mark.parametrize("count", [1, 2, 3])
def test_any_number_of_patches_is_one_batch(count: int, settings: Settings, npz: Path, patches: Patches) -> None:
    info = install_backbone(settings, npz)
    together, one_by_one = _run(info.path, patches[:count]), [_run(info.path, patch[None]) for patch in patches[:count]]
    np.testing.assert_allclose(together[0], np.concatenate([embedding for embedding, _ in one_by_one]), atol=1e-4)


@pytest.mark.frameworks
@pytest.mark.long
def test_a_saved_model_folder_gives_the_same_backbone_as_the_weights_file(
    settings: Settings, raw: Raw, npz: Path, tmp_path: Path
) -> None:
    import subprocess
    import sys

    np.savez(tmp_path / "raw.npz", allow_pickle=False, **{name.replace("/", "|"): raw[name] for name in raw})
    script = """
import sys, numpy as np, tensorflow as tf
module = tf.Module()
module.kept = [tf.Variable(v, name=k.replace("|", "/")) for k, v in np.load(sys.argv[1]).items()]
module.steps = tf.Variable(3, name="steps")
tf.saved_model.save(module, sys.argv[2])
"""
    folder = tmp_path / "yamnet_1"
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(tmp_path / "raw.npz"), str(folder)],
        check=True,
        capture_output=True,
    )
    from_folder = _constants(install_backbone(settings, folder).path)
    from_npz = _constants(install_backbone(settings, npz).path)
    assert from_folder.keys() == from_npz.keys()
    for name, values in from_npz.items():
        np.testing.assert_array_equal(from_folder[name], values, err_msg=name)


def _constants(path: Path) -> dict[str, NDArray[np.float32]]:
    return {entry.name: onnx.numpy_helper.to_array(entry) for entry in onnx.load(path).graph.initializer}


def test_the_installed_file_names_its_source(settings: Settings, npz: Path) -> None:
    info = install_backbone(settings, npz)
    assert info == read_installed_backbone(settings)
    assert info.source == "yamnet.npz"
    assert info.path == settings.backbone_path
    assert len(info.source_digest) == len(info.digest) == 64


def test_the_file_carries_the_names_of_its_521_scores(settings: Settings, npz: Path) -> None:
    model = onnx.load(install_backbone(settings, npz).path)
    labels = json.loads(next(entry.value for entry in model.metadata_props if entry.key == "labels"))
    assert tuple(labels) == read_class_names()
    assert len(set(labels)) == 521
    assert (labels[0], labels[494]) == ("Speech", "Silence")


def test_the_same_weights_give_the_same_bytes(settings: Settings, npz: Path) -> None:
    assert install_backbone(settings, npz).digest == install_backbone(settings, npz).digest


def _without(name: str) -> Callable[[Raw], None]:
    return lambda weights: weights.__delitem__(name)


def _with(name: str, values: NDArray[np.float32]) -> Callable[[Raw], None]:
    return lambda weights: weights.__setitem__(name, values)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (_without("layer9/pointwise/bias"), "layer9/pointwise/bias"),
        (_with("dense/bias", np.zeros(520, np.float32)), "dense/bias"),
        (_with("layer1/conv/bias", np.full(32, np.nan, np.float32)), "layer1/conv/bias"),
    ],
    ids=["missing", "wrong shape", "not finite"],
)
def test_a_damaged_npz_is_refused_by_the_name_of_the_weight_and_the_old_backbone_stays(
    damage: Callable[[Raw], None], named: str, settings: Settings, npz: Path, tmp_path: Path
) -> None:
    before = install_backbone(settings, npz)
    weights = dict(np.load(npz))
    damage(weights)
    broken = tmp_path / "broken.npz"
    np.savez(broken, allow_pickle=False, **weights)
    with pytest.raises(FormatUnknown, match=named):
        install_backbone(settings, broken)
    assert read_installed_backbone(settings) == before
    assert [path.name for path in settings.models_dir.iterdir()] == ["yamnet.onnx"]


def test_an_h5_without_a_layer_is_refused_by_its_name(settings: Settings, raw: Raw, tmp_path: Path) -> None:
    path = tmp_path / "head.h5"
    _write_h5({name: values for name, values in raw.items() if not name.startswith("layer7/")}, path)
    with pytest.raises(FormatUnknown, match="layer7/depthwise_conv"):
        install_backbone(settings, path)


def test_an_h5_that_keeps_values_in_another_file_is_refused(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\0" * 4096)
    path = tmp_path / "yamnet.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("layer1/conv/kernel:0", (9, 32), "f4", external=[(str(tmp_path / "secret"), 0, 1152)])
    with pytest.raises(ModelUnsafe, match="another file"):
        install_backbone(settings, path)


@pytest.mark.parametrize("content", [b"", b"not weights at all", b"PK\x03\x04 cut off", b"\x89HDF\r\n\x1a\n cut off"])
def test_a_file_without_weights_is_refused(content: bytes, settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "yamnet.h5"
    path.write_bytes(content)
    with pytest.raises(FormatUnknown) as refused:
        install_backbone(settings, path)
    assert "yamnet.h5" in refused.value.remedy


def test_a_pickle_inside_an_npz_is_not_opened(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "evil.npz"
    with zipfile.ZipFile(path, "w") as archive, archive.open("dense/bias.npy", "w") as member:
        np.lib.format.write_array(member, np.array([print], dtype=object), allow_pickle=True)
    with pytest.raises(FormatUnknown):
        install_backbone(settings, path)


def test_a_missing_source_is_named(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match=r"nowhere\.h5"):
        install_backbone(settings, tmp_path / "nowhere.h5")


def test_no_backbone_names_the_command_that_installs_it(settings: Settings) -> None:
    with pytest.raises(BackboneMissing) as missing:
        read_installed_backbone(settings)
    assert "understudy backbone install" in missing.value.remedy


def test_a_file_that_understudy_did_not_write_is_not_accepted_as_a_backbone(settings: Settings) -> None:
    settings.backbone_path.write_bytes(b"garbage")
    with pytest.raises(BackboneMissing, match=r"yamnet\.onnx"):
        read_installed_backbone(settings)


@pytest.fixture
def release(h5: Path) -> Iterator[str]:
    """A web server that offers the weights at /yamnet.h5 and nothing else."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/yamnet.h5"
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(h5.stat().st_size if found else 0))
            self.end_headers()
            if found:
                self.wfile.write(h5.read_bytes())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_without_a_source_the_official_weights_are_downloaded(settings: Settings, release: str, h5: Path) -> None:
    settings = settings.model_copy(update={"backbone_url": f"{release}/yamnet.h5"})
    seen: list[tuple[str, int, int | None]] = []
    info = install_backbone(settings, on_progress=lambda step, done, total: seen.append((step, done, total)))
    size = h5.stat().st_size
    assert ("download", size, size) in seen
    assert info.source == settings.backbone_url
    assert info.source_digest == install_backbone(settings, h5).source_digest


@pytest.mark.parametrize("address", ["{release}/gone.h5", "http://127.0.0.1:1/yamnet.h5", "no address"])
def test_a_failed_download_names_the_command_that_needs_no_network(
    address: str, settings: Settings, release: str
) -> None:
    settings = settings.model_copy(update={"backbone_url": address.format(release=release)})
    with pytest.raises(DownloadFailed) as failed:
        install_backbone(settings)
    assert "--from" in failed.value.remedy
    assert list(settings.models_dir.iterdir()) == []


@pytest.mark.anyio
async def test_the_file_is_itself_a_model_of_521_labels(settings: Settings, npz: Path, wav: bytes) -> None:
    path = install_backbone(settings, npz).path
    compiled = await Compiler(settings).compile(path, compute_digest(path), None)
    spec = compiled.report.spec
    assert (spec.input, spec.labels) == (InputKind.LOG_MEL_PATCH, read_class_names())
    assert compiled.report.graph_activation is OutputActivation.SIGMOID
    pipeline = Pipeline.load(compiled.folder, backbone=None, max_whole_clip_seconds=60)
    pipeline.warm_up()
    with open_clip(io.BytesIO(wav), AudioLimits(max_seconds=60)) as clip:
        analysis = pipeline.analyze(clip)
    assert analysis.window_scores.shape == (4, 521)
    assert 0 < analysis.window_scores.min() < analysis.window_scores.max() < 1


@pytest.mark.data
def test_the_real_network_scores_silence_highest_for_silent_patches(settings: Settings, data_dir: Path) -> None:
    info = install_backbone(settings, data_dir / "yamnet" / "yamnet.npz")
    silence = np.full((1, 96, 64), np.log(0.001), dtype=np.float32)
    _, scores = _run(info.path, silence)
    assert read_class_names()[int(scores[0].argmax())] == "Silence"
