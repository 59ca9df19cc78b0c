"""Frames to commands and back: what a client is given, and what it may not ask."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from supervise.clock import SystemClock
from supervise.control.native import METHODS, Mood, Native
from supervise.core.machine import Start
from supervise.core.spec import GroupSpec, OutputSpec, Plan, ProcessSpec
from supervise.daemon.narrate import Narrator
from supervise.daemon.reading import Reader
from supervise.daemon.reload import Reload
from supervise.daemon.service import Service
from supervise.errors import Fault, Refusal
from tests.support.inside import House, house, program, run


async def _nothing() -> None:
    """In the place of what the mood would do."""


def _native(here: House, *specs: ProcessSpec) -> Native:
    for spec in specs:
        here.runner(spec)
    groups = tuple(group.spec for group in here.registry.groups.values())
    kit = here.kit
    service = Service(
        here.registry,
        reload=Reload(here.registry),
        reader=cast("Reader", None),
        spawner=kit.spawner,
        clock=SystemClock(),
        plan=Plan(groups=(GroupSpec("zz", 5, (program("zz", "true", priority=7),)), *groups)),
        narrator=Narrator(here.log),
    )
    return Native(service, Mood(lambda: None, _nothing, _nothing), here.log, "me")


async def _ask(native: Native, method: str, **params: object) -> list[Mapping[str, Any]]:
    return [dict(answer) async for answer in native.call(method, params)]


def test_status_tells_everything_that_wire_promises(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            native = _native(
                here, program("x", "sleep 1000"), program("y", "nosuch", startretries=0)
            )
            for runner in here.registry:
                runner.tell(Start())

            x, y = await _ask(native, "status")

            assert x.keys() == {
                "name", "group", "process", "state", "description", "pid", "start", "stop", "now",
                "exitstatus", "spawnerr", "logfile", "stdout_logfile", "stderr_logfile", "uptime",
                "restarts", "last_exit", "adopted", "reason",
            }  # fmt: skip
            assert (x["state"], x["last_exit"], x["reason"]) == ("RUNNING", None, "")
            assert x["description"] == f"pid {x['pid']}, uptime 0:00:00"
            assert (y["state"], y["pid"]) == ("FATAL", 0)
            assert y["description"] == "can't find command 'nosuch'"

    run(scenario)


def test_a_bad_name_is_one_result_among_the_others(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            native = _native(here, program("x", "sleep 1000"))

            answers = await _ask(native, "pid", names=["nosuch:*", "x"])

            assert answers[0]["code"] == "BAD_NAME"
            assert answers[0]["process"] is None
            assert answers[1] == {"name": "x", "pid": 0}

    run(scenario)


def test_avail_lists_what_the_files_say_and_what_of_it_is_in_use(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            native = _native(here, program("x", "sleep 1000"))

            answers = await _ask(native, "avail")

            assert [(it["name"], it["in_use"]) for it in answers] == [("x", True), ("zz", False)]
            assert (answers[1]["group_priority"], answers[1]["process_priority"]) == (5, 7)

    run(scenario)


@pytest.mark.parametrize(
    ("method", "params", "fault"),
    [
        ("nosuch", {}, Fault.UNKNOWN_METHOD),
        ("tail", {"name": "nosuch"}, Fault.BAD_NAME),
        ("tail", {"name": "g:*"}, Fault.BAD_NAME),
        ("tail", {"name": "x"}, Fault.NO_FILE),
        ("tail", {"name": "merged", "channel": "stderr"}, Fault.NO_FILE),
        ("tail", {"name": "x", "channel": "stdin"}, Fault.BAD_ARGUMENTS),
        ("maintail", {}, Fault.NO_FILE),
        ("status", {"names": [1]}, Fault.INCORRECT_PARAMETERS),
        ("start", {"names": ["x"], "wait": "yes"}, Fault.INCORRECT_PARAMETERS),
    ],
)
def test_what_cannot_be_answered_is_refused_with_its_fault(
    tmp_path: Path, method: str, params: dict[str, object], fault: Fault
) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            log = OutputSpec(logfile=str(tmp_path / "merged.log"))
            merged = program("merged", "true", stdout=log, redirect_stderr=True)
            native = _native(here, program("x", "true"), merged)

            with pytest.raises(Refusal) as refusal:
                await _ask(native, method, **params)

            assert refusal.value.fault is fault

    run(scenario)


def test_the_log_of_what_never_ran_is_empty(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with house(tmp_path) as here:
            native = _native(here, program("x", "true", stdout=OutputSpec()))

            assert await _ask(native, "tail", name="x") == [{"data": ""}]

    run(scenario)


def test_every_method_of_the_protocol_is_there() -> None:
    assert set(METHODS) == {
        "status", "start", "stop", "restart", "signal", "clear", "pid", "tail", "maintail",
        "reread", "update", "add", "remove", "avail", "reload", "shutdown", "version", "info",
    }  # fmt: skip
