"""Lines and escapes come out the same however the bytes were cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from supervise.core.lines import AnsiStripper, LineSplitter

# Few symbols, so that whole, broken and unending sequences come up all the time.
ANSI_SOUP = st.lists(
    st.sampled_from([b"\x1b", b"[", b"]", b"P", b"0;", b"m", b"\x07", b"\\", b" ", b"a", b"\n"]),
    max_size=40,
).map(b"".join)
CUTS = st.lists(st.integers(0, 60), max_size=8)


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    bounds = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(bounds)]


def stripped(chunks: Sequence[bytes]) -> bytes:
    stripper = AnsiStripper()
    return b"".join([stripper.feed(chunk) for chunk in chunks]) + stripper.flush()


def lines(chunks: Sequence[bytes], limit: int) -> list[bytes]:
    splitter = LineSplitter(limit)
    return [line for chunk in chunks for line in splitter.feed(chunk)] + splitter.flush()


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        (b"\x1b[31mred\x1b[0m", b"red"),
        (b"\x1b[38;5;196mred\x1b[m\n", b"red\n"),
        (b"\x1b[2J\x1b[1;1Hhome", b"home"),
        (b"\x1b[?25lhidden\x1b[?25h", b"hidden"),
        (b"\x1b]0;title\x07text", b"text"),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", b"link"),
        (b"\x1b(Bcharset\x1b7\x1b8", b"charset"),
        (b"\x1bPdevice\x1b\\control", b"control"),
        (b"no escapes at all \xff\x00", b"no escapes at all \xff\x00"),
        (b"\x1b[12", b"\x1b[12"),
        (b"cut off \x1b", b"cut off \x1b"),
        (b"\x1b\nnewline", b"\x1b\nnewline"),
    ],
)
def test_an_escape_sequence_is_taken_out_and_nothing_else(raw: bytes, plain: bytes) -> None:
    assert stripped([raw]) == plain


@given(ANSI_SOUP, CUTS)
def test_stripping_does_not_depend_on_how_the_bytes_were_cut(
    data: bytes, places: list[int]
) -> None:
    assert stripped(cut(data, places)) == stripped([data])


def test_a_title_that_never_ends_is_let_through_and_not_kept() -> None:
    stripper = AnsiStripper()
    flood = b"\x1b]" + b"x" * 5000

    passed = b"".join(stripper.feed(flood[at : at + 7]) for at in range(0, len(flood), 7))

    assert passed == flood


@given(st.binary(max_size=60), st.integers(1, 9), CUTS)
def test_lines_do_not_depend_on_how_the_bytes_were_cut(
    data: bytes, limit: int, places: list[int]
) -> None:
    assert lines(cut(data, places), limit) == lines([data], limit)


@given(st.lists(st.sampled_from([b"a", b"bb", b"\n"]), max_size=40).map(b"".join))
def test_within_the_limit_lines_are_those_of_a_plain_split(data: bytes) -> None:
    expected = data.split(b"\n")

    assert lines([data], 1000) == (expected if expected[-1] else expected[:-1])


@given(st.binary(max_size=200), st.integers(1, 9))
def test_no_piece_is_longer_than_the_limit_and_no_byte_is_lost(data: bytes, limit: int) -> None:
    pieces = lines([data], limit)

    assert all(len(piece) <= limit for piece in pieces)
    assert b"".join(pieces) == data.replace(b"\n", b"")


@pytest.mark.parametrize("feed", [LineSplitter(10).feed, AnsiStripper().feed])
def test_nothing_in_nothing_out(feed: Callable[[bytes], Sequence[object]]) -> None:
    assert not feed(b"")
