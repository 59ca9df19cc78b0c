"""The main file and what it includes, from the disk to sections.

Every file is opened once; what the daemon must look at to know that nothing has
changed is remembered as it was before the reading.
"""

from __future__ import annotations

import errno
import glob
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field

from supervise.config import ini
from supervise.config.expand import ExpansionError, Names, expand_all
from supervise.config.section import Findings, Reading, Section
from supervise.config.values import patterns
from supervise.core.spec import Source

_MAGIC = frozenset("*?[")  # in a pattern


class UnreadableError(ValueError):
    """A file that cannot be read as text; the text says why, the line where."""

    def __init__(self, text: str, line: int = 1) -> None:
        super().__init__(text)
        self.line = line


@dataclass(slots=True)
class Files:
    """What was read, and the places where something could change it."""

    main: str  # as the user gave it
    cwd: str
    findings: Findings
    sources: dict[str, Source] = field(default_factory=dict)
    dangling: list[str] = field(default_factory=list)

    def sections(self, names: Names) -> list[Section]:
        """Read the main file and every file that it includes, in the order in which they count."""
        path = os.path.abspath(os.path.join(self.cwd, self.main))
        sections = self._main(path)
        done = {path}
        for found, literal in self._included(sections, os.path.dirname(path), names):
            if found in done:
                continue
            done.add(found)
            self.findings.notes.append(f'Included extra file "{found}" during parsing')
            sections += self._one_included(found, literal=literal)
        return sections

    def _main(self, path: str) -> list[Section]:
        try:  # not regular: it may well come through a pipe
            return self._read(path, self.main, regular=False)
        except FileNotFoundError:
            self.findings.problems.append(f"could not find config file {self.main}")
        except OSError as error:
            self._problem(self.main, error)
        return []

    def _included(
        self, sections: list[Section], base: str, names: Names
    ) -> Iterator[tuple[str, bool]]:
        """Give each file that a pattern finds, and whether the pattern is just its name."""
        including = [section for section in sections if section.kind == "include"]
        if not including:
            return
        said = [section for section in including if "files" in section.entries]
        if not said:
            text = ".ini file has [include] section, but no files setting"
            self.findings.problem(including[0], None, text)
            return
        for pattern in self._patterns(said[-1], names):
            self._watch_directories(pattern, base)
            found = sorted(glob.glob(pattern, root_dir=base))
            literal = _MAGIC.isdisjoint(pattern)
            if not found:
                shown = os.path.join(base, pattern)
                # An empty conf.d, or one without TOML, is nothing to be warned of.
                ordinary = not literal and os.path.isdir(os.path.dirname(shown))
                lines = self.findings.notes if ordinary else self.findings.warnings
                lines.append(f'No file matches via include "{shown}"')
            yield from ((os.path.normpath(os.path.join(base, each)), literal) for each in found)

    def _patterns(self, section: Section, names: Names) -> tuple[str, ...]:
        entry = section.entries["files"]
        names["here"] = entry.here
        try:
            return patterns(expand_all(entry.value, names))
        except (ExpansionError, ValueError) as error:
            self.findings.problem(section, "files", str(error))
            return ()

    def _watch_directories(self, pattern: str, base: str) -> None:
        """Remember each directory in which a new entry could match ``pattern``."""
        directory = os.path.dirname(pattern)
        while glob.has_magic(directory):
            for found in glob.glob(directory, root_dir=base):
                self._watch(os.path.join(base, found))
            directory = os.path.dirname(directory)
        self._watch(os.path.normpath(os.path.join(base, directory)))

    def _watch(self, path: str) -> None:
        if path not in self.sources:
            try:
                self.sources[path] = _source(path, os.stat(path))
            except OSError:
                self.sources[path] = Source(path, 0, 0, 0)

    def _one_included(self, path: str, *, literal: bool) -> list[Section]:
        shown = self._shown(path)
        try:
            sections = self._read(path, shown, regular=True)
        except FileNotFoundError:
            return self._not_there(path, shown)
        except IsADirectoryError as error:
            if literal:
                self._problem(shown, error)
            else:
                self.findings.warnings.append(f"{shown}: a directory, which is not read")
            return []
        except OSError as error:
            if error.errno == errno.ELOOP:
                return self._not_there(path, shown)
            self._problem(shown, error)
            return []
        kept = [section for section in sections if section.kind != "include"]
        for section in sections:
            if section.kind == "include":
                text = "ignored, since only the main file can include others"
                self.findings.warning(section, None, text)
        return kept

    def _not_there(self, path: str, shown: str) -> list[Section]:
        """Warn of a link that points nowhere, or of a file that vanished after it was found."""
        self.sources[path] = Source(path, 0, 0, 0)
        try:
            target = os.readlink(path)
        except OSError:
            self.findings.warnings.append(f"{shown}: vanished before it could be read")
            return []
        text = f"a symbolic link to {target}, which is not there; nothing is read from it"
        self.findings.warnings.append(f"{shown}: {text}")
        self.dangling.append(path)
        return []

    def _read(self, path: str, shown: str, *, regular: bool) -> list[Section]:
        """Give the sections of one file. Raises OSError if it cannot be read at all."""
        try:
            text, self.sources[path] = read_text(path, regular=regular)
        except UnreadableError as error:
            self.findings.problems.append(f"{shown}:{error.line}: {error}")
            return []
        reading = _parse(text, shown, path)
        self.findings.problems += reading.problems
        return reading.sections

    def _problem(self, shown: str, error: OSError) -> None:
        self.findings.problems.append(f"{shown}:1: cannot be read: {error.strerror}")

    def _shown(self, path: str) -> str:
        """Give ``path`` as short as the user gave the main file."""
        inside = self.cwd.rstrip("/") + "/"
        return path if os.path.isabs(self.main) else path.removeprefix(inside)


def read_text(path: str, *, regular: bool = True) -> tuple[str, Source]:
    """Give the text of a file and what it was like before it was read.

    Raises:
        OSError: it cannot be opened or read.
        UnreadableError: it is not a text in UTF-8, or no file that ends.
    """
    # O_NONBLOCK: a pipe in conf.d must not hold us up; for a file it means nothing
    flags = os.O_RDONLY | os.O_CLOEXEC | (os.O_NONBLOCK if regular else 0)
    fd = os.open(path, flags)
    with open(fd, "rb") as stream:
        status = os.fstat(fd)
        if regular and not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            raise UnreadableError("neither a file nor a link to one")
        raw = stream.read()
    return _text(raw), _source(path, status)


def _parse(text: str, shown: str, path: str) -> Reading:
    if path.endswith(".toml"):
        from supervise.config import toml  # noqa: PLC0415 - who has only INI need not wait for it

        return toml.read(text, shown, path, os.path.dirname(path))
    return ini.read(text, shown, path, os.path.dirname(path))


def _text(raw: bytes) -> str:
    nul = raw.find(b"\0")
    if nul >= 0:
        raise UnreadableError("not a text: it contains a NUL byte", _line_at(raw, nul))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = f"byte 0x{raw[error.start]:02x}"
        raise UnreadableError(f"not UTF-8: {byte}", _line_at(raw, error.start)) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _line_at(raw: bytes, offset: int) -> int:
    return raw.count(b"\n", 0, offset) + 1


def _source(path: str, status: os.stat_result) -> Source:
    return Source(path, status.st_mtime_ns, status.st_size, status.st_ino)
