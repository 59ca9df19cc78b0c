from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest
from workers.transports.pause import Pause

FOREVER = 10.0


@pytest.fixture
def pause() -> Iterator[Pause]:
    pause = Pause()
    yield pause
    pause.close()
    pause.close()
    pause.interrupt()  # too late is no error


def test_it_ends_by_itself(pause: Pause) -> None:
    assert not pause.wait((), 0.0)
    assert not pause.wait((), -1.0)


def test_an_interrupt_before_it_is_remembered_once(pause: Pause) -> None:
    pause.interrupt()
    pause.interrupt()

    assert pause.wait((), FOREVER)
    assert not pause.wait((), 0.0)


def test_an_interrupt_of_another_thread_ends_it(pause: Pause) -> None:
    thread = threading.Timer(0.05, pause.interrupt)
    thread.start()

    assert pause.wait((), None)

    thread.join()


def test_a_byte_of_the_signal_machinery_ends_it(pause: Pause) -> None:
    os.write(pause.signal_fd, b"\x0f")

    assert pause.wait((), FOREVER)


def test_a_descriptor_ends_it_without_being_an_interrupt(pause: Pause) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"x")

    assert not pause.wait((reader,), FOREVER)

    os.close(reader)
    os.close(writer)


def test_a_thousand_interrupts_do_not_block(pause: Pause) -> None:
    for _ in range(100_000):
        pause.interrupt()

    assert pause.wait((), FOREVER)
