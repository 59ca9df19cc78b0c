"""Who starts first and who stops last: lanes of equal priority.

Pure. Source of the rules: Supervisor 4.3, docs/configuration.rst, ``priority``; the
members of a ``[group:x]`` obey their own priorities at boot too (upstream forgets them).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from supervise.core.spec import GroupSpec, ProcessSpec


def start_order(groups: Iterable[GroupSpec]) -> list[ProcessSpec]:
    """Give every process, lowest priority number first: by group, in it by member.

    Groups of one priority go by name, members of one priority as the files list them.
    """
    return [
        process
        for group in sorted(groups, key=lambda group: (group.priority, group.name))
        for process in sorted(group.processes, key=lambda process: process.priority)
    ]


def stop_lanes(groups: Iterable[GroupSpec]) -> list[list[GroupSpec]]:
    """Give the groups to stop together, highest priority number first."""
    ordered = sorted(groups, key=lambda group: -group.priority)
    return [list(lane) for _, lane in itertools.groupby(ordered, key=lambda group: group.priority)]
