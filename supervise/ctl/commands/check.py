"""``superctl check``: is this configuration good? No daemon is asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from supervise.ctl.command import Client, Command, Console, UsageError

BAD_ARGUMENTS = 2


def run(words: Sequence[str], client: Client, console: Console) -> int:
    """Have the file read by the loader, in a process of its own, and give its exit code.

    The loader takes 0.1 s and 12 MiB to import, which no other command should pay.
    """
    del client
    if len(words) > 1:
        raise UsageError("check accepts one file", BAD_ARGUMENTS)
    file = words[0] if words else console.configuration
    if file is None:
        raise UsageError("check found no configuration file; name one", BAD_ARGUMENTS)
    console.out.flush()
    argv = [sys.executable, "-P", "-m", "supervise.config.load", "--check", file]
    return os.spawnv(os.P_WAIT, sys.executable, argv)  # noqa: S606 - no shell is wanted


COMMANDS = {
    "check": Command(run, "check [<file>]\t\tSay what is wrong with a configuration file"),
}
