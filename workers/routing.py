r"""Which transports a message goes to.

Pure. Every rule for the class or one of its parents counts, and what they name
is united; a wildcard (``app.*``, ``App\Message\*``, ``*``) counts only while
nothing nearer has matched.
Source of the rules: Symfony Messenger 7.2, ``SendersLocator`` and
``HandlersLocator::listTypes``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from workers.envelope import Envelope
from workers.stamps import TransportNames

_STEP = re.compile(r"[.\\]")


def is_wildcard(rule: str) -> bool:
    """Tell whether ``rule`` stands for more than one class."""
    return rule.endswith("*")


class Routing:
    """The ``[routing]`` table: the name of a class, or a wildcard, to names of transports."""

    def __init__(self, rules: Mapping[str, Sequence[str]]) -> None:
        self.rules = {rule: tuple(names) for rule, names in rules.items()}

    def transports(self, lineage: Sequence[str]) -> tuple[str, ...]:
        """Give the transports for a class; ``lineage`` is its name, then its parents' names."""
        found = [name for rule in lineage for name in self.rules.get(rule, ())]
        if not found:
            found = self._fallback(lineage)
        return tuple(dict.fromkeys(found))

    def _fallback(self, lineage: Sequence[str]) -> list[str]:
        for rule in wildcards(lineage[0] if lineage else ""):
            if rule in self.rules:
                return list(self.rules[rule])
        return []


def wildcards(name: str) -> Iterator[str]:
    """Give every wildcard that covers the class ``name``, the nearest first."""
    for step in reversed(list(_STEP.finditer(name))):
        yield name[: step.end()] + "*"
    yield "*"


def asked_for(envelope: Envelope) -> tuple[str, ...] | None:
    """Give the transports that the envelope itself asks for, or None: then the routing decides."""
    stamp = envelope.last(TransportNames)
    return stamp.names if stamp else None
