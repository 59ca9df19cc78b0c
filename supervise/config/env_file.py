"""Files of ``KEY=value`` lines, as python-dotenv reads them."""

from __future__ import annotations

from supervise.config.files import UnreadableError, read_text
from supervise.core.spec import Source


class EnvFiles:
    """Reads each file once; ``sources`` tells of every one that was asked for."""

    def __init__(self) -> None:
        self.sources: dict[str, Source] = {}
        self._read: dict[str, dict[str, str]] = {}

    def read(self, path: str) -> dict[str, str]:
        """Give the variables of ``path``. Raises ValueError with what is wrong with it."""
        found = self._read.get(path)
        if found is None:
            found = self._read[path] = _parse(path, self._text(path))
        return found

    def _text(self, path: str) -> str:
        self.sources[path] = Source(path, 0, 0, 0)
        try:
            text, self.sources[path] = read_text(path)
        except UnreadableError as error:
            raise ValueError(f"{path}:{error.line}: {error}") from error
        except OSError as error:
            raise ValueError(f"cannot read {path}: {error.strerror}") from error
        return text


def _parse(path: str, text: str) -> dict[str, str]:
    import io  # noqa: PLC0415 - with dotenv: only who names a file pays

    from dotenv import dotenv_values  # noqa: PLC0415
    from dotenv.parser import parse_stream  # noqa: PLC0415

    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            line = binding.original.line
            raise ValueError(f"{path}:{line}: not KEY=value: {binding.original.string.strip()!r}")
    values = dotenv_values(stream=io.StringIO(text))
    return {key: value or "" for key, value in values.items()}
