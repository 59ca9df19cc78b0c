"""Users and groups of this machine, looked up once each."""

from __future__ import annotations

import grp
import os
import pwd

from supervise.core.spec import UserSpec

_ANY = -1  # what chown(2) takes for "leave it"


class Accounts:
    """What the machine says of names; it is asked once for each."""

    def __init__(self) -> None:
        self._users: dict[str, UserSpec] = {}

    def user(self, name: str) -> UserSpec:
        """Give uid, gid and supplementary groups. Raises ValueError if there is no such user."""
        found = self._users.get(name)
        if found is None:
            record = _record(name)
            groups = os.getgrouplist(record.pw_name, record.pw_gid)
            found = UserSpec(name, record.pw_uid, record.pw_gid, tuple(sorted(set(groups))))
            self._users[name] = found
        return found

    def owner(self, text: str) -> tuple[int, int]:
        """Take ``user`` or ``user:group`` apart; a group that is not given is -1."""
        user, colon, group = text.partition(":")
        return self.user(user).uid, _gid(group) if colon else _ANY


def _record(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(int(name)) if name.strip().isdecimal() else pwd.getpwnam(name)
    except (KeyError, ValueError, OverflowError):
        raise ValueError(f"no such user: {name!r}") from None


def _gid(name: str) -> int:
    try:
        record = grp.getgrgid(int(name)) if name.strip().isdecimal() else grp.getgrnam(name)
    except (KeyError, ValueError, OverflowError):
        raise ValueError(f"no such group: {name!r}") from None
    return record.gr_gid
