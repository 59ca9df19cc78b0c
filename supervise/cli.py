"""superd -- run a set of programs, and keep them running.

Usage: superd [options]

-c/--configuration FILE  read FILE (else ./etc/superd.toml, ./superd.toml and supervisord's places)
-n/--nodaemon            stay in the foreground
-s/--silent              in the foreground, do not repeat the log on standard output
-h/--help                print this text
-v/--version             print the version
-u/--user USER           become USER (a name or a number)
-m/--umask MASK          umask of the daemon, octal (default 022)
-d/--directory DIR       go to DIR when daemonizing
-l/--logfile FILE        the daemon's own log
-y/--logfile_maxbytes N  rotate it at N bytes (KB, MB, GB)
-z/--logfile_backups N   keep N old ones
-e/--loglevel LEVEL      critical, error, warn, info, debug, trace or blather
-j/--pidfile FILE        where the pid goes
-i/--identifier NAME     what this daemon calls itself
-q/--childlogdir DIR     where AUTO logs of programs go
-k/--nocleanup           keep old AUTO logs
-a/--minfds N            file descriptors that must be had
-t/--strip_ansi          strip ANSI escapes from the programs' logs
--minprocs N             processes that must be had
"""

from __future__ import annotations

import getopt
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import supervise
from supervise import locate

SHORT = "c:nsh?vu:m:d:l:y:z:e:j:i:q:ka:t"
LONG = {
    "configuration=": "c", "nodaemon": "n", "silent": "s", "help": "h", "version": "v",
    "user=": "u", "umask=": "m", "directory=": "d", "logfile=": "l", "logfile_maxbytes=": "y",
    "logfile_backups=": "z", "loglevel=": "e", "pidfile=": "j", "identifier=": "i",
    "childlogdir=": "q", "nocleanup": "k", "minfds=": "a", "strip_ansi": "t", "minprocs=": "",
    "profile_options=": "",
}  # fmt: skip
USAGE = 2  # exit status of every error before the daemon runs


class UsageError(Exception):
    """A command line that means nothing; its text is for people."""


def parse(arguments: Sequence[str]) -> dict[str, str]:
    """Give the options by their long names; flags are "true".

    Raises:
        UsageError: an option that there is not, that is given twice, or an argument.
    """
    try:
        options, rest = getopt.getopt(list(arguments), SHORT, list(LONG))
    except getopt.GetoptError as error:
        raise UsageError(error.msg) from error
    if rest:
        raise UsageError(f"positional arguments are not supported: {rest}")
    by_short = {short: name.rstrip("=") for name, short in LONG.items() if short}
    by_short["?"] = "help"
    found: dict[str, str] = {}
    for option, value in options:
        dashes = option.lstrip("-")
        name = dashes if option.startswith("--") else by_short[dashes]
        if name in found and found[name] != (value or "true"):
            raise UsageError(f"conflicting command line option {option!r}")
        found[name] = value or "true"
    return found


def main() -> None:
    """Run superd with the arguments of the process; does not return."""
    try:
        options = parse(sys.argv[1:])
    except UsageError as error:
        _fail(str(error))
    if "help" in options:
        print((__doc__ or "").strip())  # noqa: T201
        sys.exit(0)
    if "version" in options:
        print(supervise.__version__)  # noqa: T201
        sys.exit(0)
    path = locate.find(options.pop("configuration", None), sys.argv[0], os.getcwd())  # noqa: PTH109
    if path is None:
        _fail(
            "no configuration file found at the default places (./etc/superd.toml, ./superd.toml, "
            "/etc/superd.toml, supervisord.conf there and in /etc/supervisor); name one with -c"
        )
    options.pop("profile_options", None)  # upstream's profiler: accepted, means nothing here
    # asyncio imports ssl if it can; 4 MiB in a daemon that never speaks TLS.
    sys.modules.setdefault("ssl", None)  # type: ignore[arg-type]
    from supervise import app  # noqa: PLC0415 - after the line above, and not for --version

    problem = app.run(path, options)
    if problem:
        _fail(problem)
    sys.exit(0)


def _fail(text: str) -> NoReturn:
    name = os.path.basename(sys.argv[0]) or "superd"  # noqa: PTH119
    print(f"Error: {text}\nFor help, use {name} -h", file=sys.stderr)  # noqa: T201
    sys.exit(USAGE)


if __name__ == "__main__":
    main()
