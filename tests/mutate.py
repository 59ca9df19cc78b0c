"""Break the machine on purpose, one small way at a time, and see whether its tests notice.

    python -m tests.mutate [FIRST:LAST]     lines of supervise/core/machine.py, all if left out

Every comparison, boolean, number, sum, state, guard and named argument of the machine is
changed alone, and the machine's tests run against the result in a forked child that holds
the broken module in memory: no file is touched. Prints the survivors, changes that no test
noticed, and exits 1 if there are any. Takes minutes, so ``make test`` does not run it.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import io
import multiprocessing
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import hypothesis  # noqa: F401 - slow to import, so once, before the forks
import pytest

TARGET = "supervise.core.machine"
TESTS = [f"tests/core/test_machine{part}.py" for part in ("", "_policies", "_lives", "_histories")]
OPTIONS = (
    "-q", "-x", "-p", "no:cacheprovider", "--hypothesis-profile=mutate",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",  # of hypothesis, see above
)  # fmt: skip
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Pow: ast.Mult,
}  # fmt: skip
NAMES = {"max": "min", "min": "max"}
STATES = ("STOPPED", "STARTING", "RUNNING", "BACKOFF", "STOPPING", "EXITED", "FATAL", "UNKNOWN")


class Mutant(NamedTuple):
    line: int
    change: str
    code: str


def main(arguments: list[str]) -> int:
    """Try every mutant, two children at a time on two cores; give the exit status."""
    first, _, last = (arguments or [":"])[0].partition(":")
    found = importlib.util.find_spec(TARGET)
    assert found is not None
    assert found.origin is not None
    source = Path(found.origin).read_text()
    wanted = range(int(first or 1), int(last or len(source)) + 1)
    mutants = [mutant for mutant in mutations(source) if mutant.line in wanted]
    survivors = 0
    with multiprocessing.get_context("fork").Pool(os.cpu_count(), maxtasksperchild=1) as pool:
        assert pool.apply(passes, (source,)), "the tests must pass before anything is broken"
        outcomes = pool.imap(passes, [mutant.code for mutant in mutants])
        for mutant, survived in zip(mutants, outcomes, strict=True):
            if survived:
                survivors += 1
                print(f"{found.origin}:{mutant.line}: survived: {mutant.change}", flush=True)  # noqa: T201 - a command line
    print(f"{len(mutants) - survivors} of {len(mutants)} changes were noticed")  # noqa: T201 - a command line
    return 1 if survivors else 0


def passes(code: str) -> bool:
    """Say whether the tests are content with ``code`` in the machine's place."""
    spec = importlib.util.find_spec(TARGET)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[TARGET] = module
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            exec(compile(code, "broken machine", "exec"), module.__dict__)  # noqa: S102 - ours
        except Exception:  # noqa: BLE001 - it cannot even be imported: noticed
            return False
        return pytest.main([*OPTIONS, *TESTS]) == pytest.ExitCode.OK


def mutations(source: str) -> Iterator[Mutant]:
    """Give every program that differs from ``source`` in one place."""
    lines = source.splitlines()
    for number, node in enumerate(ast.walk(ast.parse(source))):
        for choice in range(len(changes(node))):
            tree = ast.parse(source)
            twin = list(ast.walk(tree))[number]
            before = ast.unparse(twin).splitlines()[0]
            place = twin.pattern if isinstance(twin, ast.match_case) else twin
            line: int = getattr(place, "lineno", 0)
            if lines[line - 1].startswith("@"):  # frozen and slots are not behaviour
                continue
            field, value = changes(twin)[choice]
            setattr(twin, field, value)
            change = f"{before!r} became {ast.unparse(twin).splitlines()[0]!r}"
            yield Mutant(line, change, ast.unparse(tree))


def changes(node: ast.AST) -> list[tuple[str, object]]:  # noqa: C901 - a table of kinds
    """Give what may be put into which field of ``node`` to make it another one."""
    match node:
        case ast.Compare(ops=ops):
            swapped = [SWAPS[type(op)]() for op in ops]
            return [("ops", [*ops[:i], op, *ops[i + 1 :]]) for i, op in enumerate(swapped)]
        case ast.BoolOp(op=op) | ast.BinOp(op=op) if type(op) in SWAPS:
            return [("op", SWAPS[type(op)]())]
        case ast.Constant(value=bool() as value):
            return [("value", not value)]
        case ast.Constant(value=int() | float() as value):
            return [("value", value + 1)]
        case ast.UnaryOp(op=ast.Not()):
            return [("op", ast.UAdd())]
        case ast.Attribute(value=ast.Name("State"), attr=attr):
            return [("attr", STATES[(STATES.index(attr) + 1) % len(STATES)])]
        case ast.Name(id=name) if name in NAMES:
            return [("id", NAMES[name])]
        case ast.match_case(guard=ast.expr()):
            return [("guard", None), ("guard", ast.Constant(value=False))]
        case ast.IfExp() | ast.If():
            return [("test", ast.Constant(value=True)), ("test", ast.Constant(value=False))]
        case ast.Call(keywords=[*given]):
            return [("keywords", given[:i] + given[i + 1 :]) for i in range(len(given))]
        case _:
            return []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
