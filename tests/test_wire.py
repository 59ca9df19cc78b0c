"""Frames of the native protocol: what goes in comes out, and garbage is refused politely."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from supervise.wire import (
    MAX_FRAME,
    MAX_REQUEST,
    FrameError,
    decode,
    encode,
    end,
    error,
    request,
    result,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FRAMES = st.dictionaries(st.text().filter(lambda key: key != "id"), VALUES, max_size=5)
FOREIGN = st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape"))


@given(FRAMES)
def test_a_frame_is_one_line_of_utf_8_and_comes_back_as_it_was(frame: dict[str, object]) -> None:
    line = encode(frame)

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert line.decode("utf-8").startswith("{")
    assert decode(line) == frame


@given(FOREIGN)
def test_a_file_name_that_is_no_utf_8_travels_in_a_line_that_is(name: str) -> None:
    line = encode({"logfile": name})

    assert json.loads(line.decode("utf-8")) == {"logfile": name}
    assert decode(line) == {"logfile": name}


@pytest.mark.parametrize("escape", ["\\ud800", "\\udfff", "\\udc80", "x\\ud83d"])
def test_half_a_character_from_a_client_can_be_sent_back_to_it(escape: str) -> None:
    frame = decode(f'{{"names": ["{escape}"]}}'.encode())

    assert decode(encode(frame)) == frame


def test_what_people_read_is_not_escaped() -> None:
    assert encode({"text": "größer\n"}) == '{"text":"größer\\n"}\n'.encode()


@given(st.binary())
def test_garbage_is_a_frame_or_a_frame_error(line: bytes) -> None:
    frame: object = None
    text = ""
    try:
        frame = decode(line)
    except FrameError as refused:
        text = str(refused)

    assert isinstance(frame, dict) or text.startswith("not a JSON ")
    assert encode(error(None, "BAD_ARGUMENTS", text))


@given(st.text(alphabet='{}[]":,0123456789eE+-.\\u truefalsn\n'))
def test_nearly_json_is_a_frame_or_a_frame_error(text: str) -> None:
    try:
        frame = decode(b"{" + text.encode())
    except FrameError:
        return
    assert decode(encode(frame)) == frame


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"[1]", "list"),
        (b'"x"', "str"),
        (b"1", "int"),
        (b"1.5", "float"),
        (b"true", "bool"),
        (b"null", "NoneType"),
    ],
)
def test_json_that_is_no_object_is_refused_by_its_kind(line: bytes, kind: str) -> None:
    with pytest.raises(FrameError, match=f"not a JSON object but {kind}"):
        decode(line)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"{",
        b"GET / HTTP/1.1\r\n",
        b'{"id": 1}{"id": 2}',
        b'{"id": 1}\n{"id": 2}\n',
        b'{"a": "\n"}',
        b"\xef\xbb\xbf{}",
        b"{\xff}",
        b'{"n": ' + b"9" * 5_000 + b"}",
        b"[" * 200_000,
        b'{"a":' * 50_000,
    ],
    ids=lambda line: repr(line[:12]),
)
def test_what_is_not_one_frame_is_refused(line: bytes) -> None:
    with pytest.raises(FrameError, match="not a JSON frame: "):
        decode(line)


@pytest.mark.parametrize("number", ["[1]", "{}", "[" * 500 + "]" * 500])
def test_an_id_that_may_be_too_deep_to_be_sent_back_is_refused(number: str) -> None:
    with pytest.raises(FrameError, match="not a JSON frame: its id is a "):
        decode(f'{{"id": {number}}}'.encode())


@pytest.mark.parametrize("number", ["1", '"x"', "1.5", "null", "true"])
def test_an_id_is_any_plain_value(number: str) -> None:
    frame = decode(f'{{"id": {number}}}'.encode())

    assert decode(encode(end(frame["id"]))) == {**frame, "end": {}}


def test_requests_carry_a_password_only_if_there_is_one() -> None:
    assert request(1, "start", {"names": ["web:*"]}) == {
        "id": 1,
        "method": "start",
        "params": {"names": ["web:*"]},
    }
    secret = {"username": "u", "password": "p"}
    assert request(2, "status", {}, secret) == {
        "id": 2,
        "method": "status",
        "params": {},
        "auth": secret,
    }


def test_answers_carry_the_number_of_their_request() -> None:
    assert result(7, {"name": "web"}) == {"id": 7, "result": {"name": "web"}}
    assert end("x") == {"id": "x", "end": {}}
    assert error(None, "BAD_NAME", "no such process") == {
        "id": None,
        "error": {"code": "BAD_NAME", "text": "no such process"},
    }


def test_a_result_may_be_longer_than_a_request() -> None:
    assert (MAX_REQUEST, MAX_FRAME) == (256 * 1024, 16 * 1024 * 1024)
