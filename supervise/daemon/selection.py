"""Which processes a command means: names, groups and patterns against the process table.

A name that means nothing is a result like any other, so that the other names go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from supervise import names as grammar
from supervise.daemon.pending import Result
from supervise.daemon.process import Runner
from supervise.daemon.registry import Registry
from supervise.errors import Fault, Refusal
from supervise.names import ProcessName


class Choice(NamedTuple):
    """The processes that are meant, each once; bad names; and who was named alone."""

    runners: list[Runner]
    wrong: list[Result]
    single: set[ProcessName]


def one(registry: Registry, text: str) -> Runner:
    """Give the one process that ``text`` names. Raises Refusal(BAD_NAME)."""
    found = registry.select(text, registry.sorted())
    if len(found) != 1 or grammar.parse(text).whole_group:
        raise Refusal(Fault.BAD_NAME, text)
    return found[0]


def shown(registry: Registry, wanted: Iterable[str]) -> tuple[list[Runner], list[Result]]:
    """Give the processes that are meant, as status shows them, and the bad names."""
    everyone = registry.sorted()
    names = list(wanted)
    if not names or names == ["all"]:
        return everyone, []
    found, wrong = [], []
    for text in names:
        runners = registry.select(text, everyone)
        found.extend(runners)
        if not runners and not _is_empty_group(registry, text):
            wrong.append(_unknown(text, everyone))
    return found, wrong


def concerned(
    registry: Registry, wanted: Iterable[str], concerns: Callable[[Runner], bool]
) -> Choice:
    """Give the processes a command is for, by priority.

    Of a whole group, a pattern or ``all`` only those that the command ``concerns`` count.
    """
    everyone = registry.by_priority()
    chosen: dict[ProcessName, Runner] = {}
    single: set[ProcessName] = set()
    wrong: list[Result] = []
    for text in wanted:
        runners = registry.select(text, everyone)
        selector = grammar.parse(text)
        if not runners and text != "all" and not _is_empty_group(registry, text):
            wrong.append(_unknown(text, everyone))
        if text != "all" and not (selector.whole_group or selector.is_pattern):
            single.update(runner.name for runner in runners)
        for runner in runners:
            if runner.name in single or concerns(runner):
                chosen.setdefault(runner.name, runner)
    return Choice(list(chosen.values()), wrong, single)


def _is_empty_group(registry: Registry, text: str) -> bool:
    """Whether ``text`` names a group, as a whole, that has no processes (numprocs=0)."""
    selector = grammar.parse(text)
    return selector.whole_group and selector.group in registry.groups


def _unknown(text: str, known: Iterable[Runner]) -> Result:
    """Give the result for a name that means nothing."""
    selector = grammar.parse(text)
    meant = grammar.perhaps(text, (runner.name for runner in known))
    hint = (f"did you mean '{meant}'?",) if meant else ()
    return Result(selector.group, selector.process, Fault.BAD_NAME.name, text, hint)
