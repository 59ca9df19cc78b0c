"""The command line of superctl: options, then an action that is one line whatever its words.

Source of the rules: Supervisor 4.3 (getopt: options end at the first other word, a long
one may be shortened as long as it is unambiguous).
"""

from __future__ import annotations

from collections.abc import Sequence

from supervise.errors import SuperviseError

USAGE = """\
superctl -- control the programs that superd runs

Usage: superctl [options] [action [arguments]]

Options:
  -c, --configuration FILE   configuration file (default: etc/superd.toml, superd.toml,
                             then where supervisord looks)
  -s, --serverurl URL        where superd listens, such as unix:///run/superd.sock
                             (default: from the configuration file)
  -u, --username NAME        user name to show to the server
  -p, --password PASSWORD    password to show to the server
  -i, --interactive          start a shell after the action
  -r, --history-file FILE    keep the lines typed into the shell there
  -v, --version              print the version of superctl and exit
  -h, --help                 print this text and exit

Without an action a shell is started; `superctl help` lists the actions, `superctl help
ACTION` explains one. Names are NAME, GROUP:NAME, GROUP:*, all, or a quoted pattern.
Also: status --json [NAME ...], check [FILE], shutdown --wait.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 something is not running (status),
4 no superd or no such name (status), 7 not running."""

_SHORT = "c:h?is:u:p:r:v"
_WITH_VALUE = frozenset("csupr")
_LONG = {
    "configuration": "c",
    "help": "h",
    "interactive": "i",
    "serverurl": "s",
    "username": "u",
    "password": "p",
    "history-file": "r",
    "history_file": "r",
    "version": "v",
}


class OptionError(SuperviseError):
    """A command line that cannot be understood."""


class Options:
    """What the command line says; None where it says nothing."""

    def __init__(self, given: dict[str, str], action: str) -> None:
        self.configuration = given.get("c")
        self.serverurl = given.get("s")
        self.username = given.get("u")
        self.password = given.get("p")
        self.history_file = given.get("r")
        self.interactive = "i" in given or not action
        self.help = "h" in given
        self.version = "v" in given
        self.action = action


def parse(argv: Sequence[str]) -> Options:
    """Take the words after the program's name apart. Raises OptionError."""
    if not argv or not argv[0].startswith("-"):
        return Options({}, " ".join(argv))  # the common case spares the import of getopt
    from getopt import GetoptError, getopt  # noqa: PLC0415 - 2 ms

    long = [name + ("=" if letter in _WITH_VALUE else "") for name, letter in _LONG.items()]
    try:
        pairs, words = getopt(list(argv), _SHORT, long)
    except GetoptError as error:
        raise OptionError(str(error)) from error
    given: dict[str, str] = {}
    for option, value in pairs:
        letter = _LONG.get(option.removeprefix("--"), option[1:]).replace("?", "h")
        if letter in given and letter in _WITH_VALUE:
            raise OptionError(f"conflicting command line option {option!r}")
        given[letter] = value
    return Options(given, " ".join(words))
