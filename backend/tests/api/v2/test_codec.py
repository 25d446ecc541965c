"""Valid requests are decoded exactly, and all others are refused."""

import json
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from understudy.api.v2.compression import choose_encoding, compress, decompress
from understudy.api.v2.datatypes import DTYPES
from understudy.api.v2.request_decoder import decode_request
from understudy.errors import BodyTooLarge, RequestInvalid
from understudy.schemas.inference.open_inference import Datatype, InferenceRequest


def tensor(data: Any, *, shape: Any, datatype: Any = "FP32", **more: Any) -> dict[str, Any]:
    return {"name": "x", "shape": shape, "datatype": datatype, "data": data} | more


def read(*inputs: Any, **more: Any) -> Any:
    return decode_request(json.dumps({"inputs": inputs} | more).encode(), None)


NUMBERS = st.sampled_from([dtype for name, dtype in DTYPES.items() if name != "BOOL"]).flatmap(
    lambda dtype: arrays(dtype, array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
)


@given(NUMBERS, st.integers(0, 7))
def test_binary_data_come_back_bit_by_bit(values: Any, shift: int) -> None:
    datatype = next(name for name, dtype in DTYPES.items() if dtype == values.dtype)
    document = tensor(None, shape=values.shape, datatype=datatype, parameters={"binary_data_size": values.nbytes})
    head = json.dumps({"inputs": [document]}).encode() + b" " * shift
    InferenceRequest.model_validate_json(head)  # as the OpenAPI document says
    found = decode_request(head + values.tobytes(), str(len(head))).inputs["x"]
    assert (found.shape, found.dtype, found.tobytes()) == (values.shape, values.dtype, values.tobytes())
    assert found.flags.aligned


@given(NUMBERS.filter(lambda values: bool(np.isfinite(values.astype(np.float64)).all())), st.booleans())
def test_json_data_come_back_flat_or_nested(values: Any, nested: bool) -> None:
    datatype = next(name for name, dtype in DTYPES.items() if dtype == values.dtype)
    data = values.tolist() if nested and values.ndim else values.reshape(-1).tolist()
    sent = tensor(data, shape=values.shape, datatype=datatype)
    InferenceRequest.model_validate_json(json.dumps({"inputs": [sent]}))  # as the OpenAPI document says
    found = read(sent).inputs["x"]
    np.testing.assert_array_equal(found, values)


def test_every_datatype_that_the_document_names_has_an_array_but_text() -> None:
    assert set(Datatype) == {*DTYPES, Datatype.BYTES}


@pytest.mark.parametrize(
    "wrong",
    [
        tensor([1.0], shape=[2]),
        tensor([1.0, 2.0], shape=[1]),
        tensor([1.0], shape=[-1]),
        tensor([1.0], shape=[True]),
        tensor([1.0], shape=[1.0]),
        tensor([1.0], shape="1"),
        tensor([1.0], shape=[1] * 33),
        tensor([], shape=[0, 2**40]),
        tensor([[1.0, 2.0], [3.0]], shape=[2, 2]),
        tensor([[1.0, 2.0], 3.0], shape=[2, 2]),
        tensor([[1.0, 2.0, 3.0]], shape=[3, 1]),
        tensor([[[1.0]]], shape=[1]),
        tensor(["1.0"], shape=[1]),
        tensor([None], shape=[1]),
        tensor([True], shape=[1]),
        tensor([{}], shape=[1]),
        tensor("1.0", shape=[1]),
        tensor([1e300], shape=[1]),
        tensor([1e6], shape=[1], datatype="FP16"),
        tensor([1.5], shape=[1], datatype="INT32"),
        tensor([300], shape=[1], datatype="UINT8"),
        tensor([-1], shape=[1], datatype="UINT64"),
        tensor([2**70], shape=[1], datatype="INT64"),
        tensor([1], shape=[1], datatype="BOOL"),
        tensor([1.0], shape=[1], datatype="BF16"),
        tensor([1.0], shape=[1], datatype=["FP32"]),
        tensor(["a"], shape=[1], datatype="BYTES"),
        tensor([1.0], shape=[1], name=None),
        tensor([1.0], shape=[1], parameters=[]),
        tensor([1.0], shape=[1], parameters={"binary_data_size": 4}),
        {"name": "x", "shape": [1], "datatype": "FP32", "parameters": {"shared_memory_region": "r"}},
        "x",
    ],
    ids=lambda wrong: json.dumps(wrong)[:60],
)
def test_data_that_contradict_what_is_declared_are_refused(wrong: Any) -> None:
    with pytest.raises(RequestInvalid):
        read(wrong)


@pytest.mark.parametrize(
    ("body", "length"),
    [
        (b"", None),
        (b"[]", None),
        (b"{", None),
        (b'{"inputs": {}}', None),
        (b'{"inputs": [], "outputs": [{"name": 1}]}', None),
        (b'{"inputs": [], "outputs": [{"name": "y", "parameters": {"classification": -1}}]}', None),
        (b"[" * 100_000, None),
        (b'{"inputs": [' + b"[]," * (1 << 20) + b"[]]}", None),
        (b'{"inputs": []}', "99"),
        (b'{"inputs": []}', "-1"),
        (b'{"inputs": []}', "9" * 5000),
        (b'{"inputs": []}', "\u00b2"),
        (b'{"inputs": []}more', "14"),
        (b'{"a": NaN}', None),
    ],
    ids=range(14),
)
def test_bodies_that_are_no_requests_are_refused(body: bytes, length: str | None) -> None:
    with pytest.raises(RequestInvalid):
        decode_request(body, length)


def test_an_input_given_twice_is_refused() -> None:
    with pytest.raises(RequestInvalid, match="twice"):
        read(tensor([1.0], shape=[1]), tensor([2.0], shape=[1]))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "shape", "datatype", "data", "parameters", "binary_data_size", "classification"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(["inputs", "outputs", "id", "parameters"]), JSON), st.binary(max_size=12))
def test_whatever_arrives_is_read_or_refused(document: Any, rest: bytes) -> None:
    head = json.dumps(document).encode()
    for body, length in ((head, None), (head + rest, str(len(head))), (rest, None)):
        try:
            decode_request(body, length)
        except RequestInvalid:
            continue


def test_compressed_bodies_are_inflated_up_to_the_limit() -> None:
    body = b"0" * 100_000
    for way in ("gzip", "deflate"):
        small = compress(body, way)
        assert decompress(small, way, 100_000) == body
        with pytest.raises(BodyTooLarge):
            decompress(small, way, 99_999)
        with pytest.raises(RequestInvalid, match="cut off"):
            decompress(small[:-9], way, 100_000)
        with pytest.raises(RequestInvalid):
            decompress(b"no such thing", way, 100_000)
    with pytest.raises(RequestInvalid, match="br"):
        decompress(zlib.compress(body), "br", 100_000)


@pytest.mark.parametrize(
    ("header", "size", "chosen"),
    [
        ("deflate, gzip;q=1.0", 5000, "gzip"),
        ("deflate, gzip;q=0", 5000, "deflate"),
        ("br", 5000, None),
        ("", 5000, None),
        ("gzip", 100, None),
    ],
)
def test_answers_are_compressed_where_it_is_asked_for_and_worth_it(header: str, size: int, chosen: str | None) -> None:
    assert choose_encoding(header, size) == chosen
