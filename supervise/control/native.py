"""Native frames to commands and back; the methods are described in ``supervise.wire``.

Thin: every decision is the service's. Parameters are checked here, by hand, because a
stranger may send anything.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import supervise
from supervise.core.machine import State
from supervise.daemon import status
from supervise.daemon.follow import Growing, follow, last
from supervise.daemon.pending import Result
from supervise.daemon.reload import GroupResult
from supervise.daemon.service import Service
from supervise.errors import Fault, Refusal

Answer = dict[str, Any]
Method = Callable[["Native", "Params"], AsyncGenerator[Answer, None]]

MOST_BYTES = 1 << 62  # of one tail, which goes out in pieces


class Mood:
    """How the daemon is asked to go: filled by the supervisor."""

    def __init__(
        self,
        shutdown: Callable[[], None],
        reload: Callable[[], Awaitable[None]],
        gone: Callable[[], Awaitable[None]],
    ) -> None:
        self.shutdown = shutdown
        self.reload = reload
        self.gone = gone


@dataclass(frozen=True, slots=True)
class Params:
    """The parameters of one request, with the questions that are asked of them."""

    values: Mapping[str, Any]

    def names(self, key: str = "names") -> list[str]:
        """Give a list of names; what is missing is empty. Raises Refusal."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise Refusal(Fault.INCORRECT_PARAMETERS, f"{key} must be a list of strings")
        return value

    def text(self, key: str, default: str = "") -> str:
        value = self.values.get(key, default)
        if not isinstance(value, str):
            raise Refusal(Fault.INCORRECT_PARAMETERS, f"{key} must be a string")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise Refusal(Fault.INCORRECT_PARAMETERS, f"{key} must be true or false")
        return value

    def size(self, key: str, default: int) -> int:
        value = self.values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_BYTES:
            raise Refusal(Fault.BAD_ARGUMENTS, f"{key} must be a number from 0 to {MOST_BYTES}")
        return value


class Native:
    """Answers native requests."""

    def __init__(self, service: Service, mood: Mood, main_log: Growing, identifier: str) -> None:
        self._service = service
        self._mood = mood
        self._main_log = main_log
        self._identifier = identifier

    def call(self, method: str, params: Mapping[str, Any]) -> AsyncGenerator[Answer, None]:
        """Give the results of one request. Raises Refusal, now or while iterating."""
        handler = METHODS.get(method)
        if handler is None:
            raise Refusal(Fault.UNKNOWN_METHOD, method)
        return handler(self, Params(params))

    async def _status(self, params: Params) -> AsyncGenerator[Answer, None]:
        runners, wrong = self._service.look(params.names())
        for result in wrong:
            yield _result(result)
        now = self._service.clock.wall()
        for runner in runners:
            yield status.info(runner, now)

    async def _start(self, params: Params) -> AsyncGenerator[Answer, None]:
        wait = params.flag("wait", default=True)
        async for result in self._service.start(params.names(), wait=wait):
            yield _result(result)

    async def _stop(self, params: Params) -> AsyncGenerator[Answer, None]:
        wait = params.flag("wait", default=True)
        async for result in self._service.stop(params.names(), wait=wait):
            yield _result(result)

    async def _restart(self, params: Params) -> AsyncGenerator[Answer, None]:
        wait = params.flag("wait", default=True)
        async for result in self._service.restart(params.names(), wait=wait):
            yield _result(result)

    async def _signal(self, params: Params) -> AsyncGenerator[Answer, None]:
        async for result in self._service.signal(params.text("signal"), params.names()):
            yield _result(result)

    async def _clear(self, params: Params) -> AsyncGenerator[Answer, None]:
        async for result in self._service.clear(params.names()):
            yield _result(result)

    async def _pid(self, params: Params) -> AsyncGenerator[Answer, None]:
        names = params.names()
        if not names:
            yield {"name": "supervisord", "pid": os.getpid()}
            return
        runners, wrong = self._service.look(names)
        for result in wrong:
            yield _result(result)
        for runner in runners:
            yield {"name": str(runner.name), "pid": runner.process.pid or 0}

    async def _tail(self, params: Params) -> AsyncGenerator[Answer, None]:
        runner = self._service.find(params.text("name"))
        channel = params.text("channel", "stdout")
        if channel not in ("stdout", "stderr"):
            raise Refusal(Fault.BAD_ARGUMENTS, f"no channel {channel!r}; stdout and stderr are")
        output = None if runner.outputs is None else runner.outputs.channel(channel)
        if output is None:
            spec = runner.spec.stdout if channel == "stdout" else runner.spec.stderr
            redirected = channel == "stderr" and runner.spec.redirect_stderr
            if spec.logfile is None or redirected:
                raise Refusal(Fault.NO_FILE, str(runner.name))
            yield {"data": ""}  # never started: its log does not exist yet
            return
        if output.path is not None and not os.path.lexists(output.path):  # noqa: ASYNC240
            output.create()  # it has been silent so far: there is nothing to wait for a disk with
        async for answer in self._read(output, params, str(runner.name)):
            yield answer

    async def _maintail(self, params: Params) -> AsyncGenerator[Answer, None]:
        async for answer in self._read(self._main_log, params, "supervisord"):
            yield answer

    async def _read(self, log: Growing, params: Params, name: str) -> AsyncGenerator[Answer, None]:
        nbytes = params.size("bytes", 1600)
        following = params.flag("follow", default=False)
        if log.path is None:
            raise Refusal(Fault.NO_FILE, name)
        try:
            chunks = follow(log, nbytes) if following else last(log, nbytes)
            async for chunk in chunks:
                # Bytes that are not UTF-8 go through as they are: see wire.encode.
                yield {"data": chunk.decode("utf-8", "surrogateescape")}
        except FileNotFoundError as error:
            raise Refusal(Fault.NO_FILE, name) from error
        except OSError as error:
            raise Refusal(Fault.FAILED, f"{log.path}: {os.strerror(error.errno or 0)}") from error

    async def _reread(self, _: Params) -> AsyncGenerator[Answer, None]:
        for result in await self._service.reread():
            yield _group(result)
        for answer in self._warnings():
            yield answer

    async def _update(self, params: Params) -> AsyncGenerator[Answer, None]:
        async for result in self._service.update(params.names("groups")):
            yield _group(result)
        for answer in self._warnings():
            yield answer

    def _warnings(self) -> Iterator[Answer]:
        if self._service.plan.warnings:
            yield {"warnings": list(self._service.plan.warnings)}

    async def _add(self, params: Params) -> AsyncGenerator[Answer, None]:
        async for result in self._service.add(params.names("groups")):
            yield _group(result)

    async def _remove(self, params: Params) -> AsyncGenerator[Answer, None]:
        async for result in self._service.remove(params.names("groups")):
            yield _group(result)

    async def _avail(self, _: Params) -> AsyncGenerator[Answer, None]:
        active = self._service.registry.groups
        for group in sorted(self._service.plan.groups, key=lambda group: group.name):
            for spec in sorted(group.processes, key=lambda process: process.name):
                name = spec.name if spec.name == group.name else f"{group.name}:{spec.name}"
                yield {
                    "name": name,
                    "group": group.name,
                    "process": spec.name,
                    "in_use": group.name in active,
                    "autostart": spec.autostart,
                    "group_priority": group.priority,
                    "process_priority": spec.priority,
                }

    async def _shutdown(self, params: Params) -> AsyncGenerator[Answer, None]:
        if self._service.stopping is not None:
            raise Refusal(Fault.SHUTDOWN_STATE)
        wait = params.flag("wait", default=False)
        self._mood.shutdown()
        yield {}
        if wait:
            await self._mood.gone()

    async def _reload(self, _: Params) -> AsyncGenerator[Answer, None]:
        if self._service.stopping is not None:
            raise Refusal(Fault.SHUTDOWN_STATE)
        await self._mood.reload()
        yield {}

    async def _version(self, _: Params) -> AsyncGenerator[Answer, None]:
        yield {"version": supervise.__version__}

    async def _info(self, _: Params) -> AsyncGenerator[Answer, None]:
        yield {
            "version": supervise.__version__,
            "pid": os.getpid(),
            "identification": self._identifier,
            "state": self._service.stopping or State.RUNNING.name,
        }


def _result(result: Result) -> Answer:
    answer: Answer = {
        "name": result.name,
        "group": result.group,
        "process": result.process,
        "code": result.code,
        "text": result.text,
    }
    if result.hint:
        answer["hint"] = list(result.hint)
    return answer


def _group(result: GroupResult) -> Answer:
    return {"group": result.group, "code": result.code, "text": result.text}


METHODS: Mapping[str, Method] = {
    name.removeprefix("_"): getattr(Native, name)
    for name in (
        "_add", "_avail", "_clear", "_info", "_maintail", "_pid", "_reload", "_remove", "_reread",
        "_restart", "_shutdown", "_signal", "_start", "_status", "_stop", "_tail", "_update",
        "_version",
    )
}  # fmt: skip
