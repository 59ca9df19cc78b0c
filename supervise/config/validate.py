"""One section against its model: unknown keys, expansion, values, each problem with its line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from supervise.config.expand import ExpansionError, Names, expand_all
from supervise.config.explain import complaints, did_you_mean
from supervise.config.section import DEFAULT, NAMED, PERHAPS_NAMED, Findings, Section

Known = dict[str, list[Section]]  # by kind, each in the order of the files
_M = TypeVar("_M", bound=BaseModel)

# Keys that supervisord expands a second time, so that a literal % is %%%% in them.
TWICE = frozenset({"stdout_logfile", "stderr_logfile"})


def known_sections(
    sections: dict[str, Section], models: dict[str, type[BaseModel]], findings: Findings
) -> Known:
    """Give the sections that have a model; complain of the others and of unknown keys."""
    known: Known = {kind: [] for kind in models}
    defaults = sections.get(DEFAULT)
    for section in sections.values():
        if section is defaults:
            every = {key for model in models.values() for key in model.model_fields}
            _drop_unknown_keys(section, every, findings, defaults=None)
            continue
        model = models.get(section.kind)
        if model is None or not _well_named(section):
            _unknown_section(section, models, findings)
            continue
        known[section.kind].append(section)
        if model.model_config.get("extra") != "allow":
            _drop_unknown_keys(section, model.model_fields, findings, defaults)
    return known


def expanded(
    section: Section,
    names: Names,
    findings: Findings,
    *,
    keys: Iterable[str] | None = None,
) -> dict[str, object]:
    """Give the section's values with every ``%(name)s`` in them replaced."""
    values: dict[str, object] = {}
    for key in section.entries if keys is None else keys:
        entry = section.entries[key]
        names["here"] = entry.here
        try:
            value = expand_all(entry.value, names)
            if key in TWICE:
                value = expand_all(value, names)
        except ExpansionError as error:
            more = "; this key is expanded twice: a literal % is %%%%" if key in TWICE else ""
            findings.problem(section, key, f"{error}{more}")
        else:
            values[key] = value
    return values


def validated(
    section: Section, model: type[_M], values: dict[str, object], findings: Findings
) -> _M | None:
    """Give the model, or None after having said what is wrong.

    A key of the section that ``values`` lack could not be expanded: of that was complained.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        for key, text in complaints(error):
            if key is None or key in values or key not in section.entries:
                findings.problem(section, key, text)
        return None


def _well_named(section: Section) -> bool:
    if section.kind in NAMED:
        return bool(section.own_name)
    return section.kind in PERHAPS_NAMED or ":" not in section.name


def _unknown_section(
    section: Section, models: dict[str, type[BaseModel]], findings: Findings
) -> None:
    if section.kind in NAMED:
        text = f"the section needs a name, such as [{section.kind}:NAME]; it is ignored"
    else:
        text = "no such section" + did_you_mean(section.kind, models, "[{}]")
    _complain(section, None, text, findings)


def _drop_unknown_keys(
    section: Section, known: Iterable[str], findings: Findings, defaults: Section | None
) -> None:
    unknown = section.entries.keys() - set(known)
    for key in sorted(unknown, key=lambda key: section.entries[key].line):
        meant_for_others = defaults and defaults.entries.get(key) is section.entries[key]
        if not meant_for_others:
            _complain(section, key, "no such key" + did_you_mean(key, known), findings)
        del section.entries[key]


def _complain(section: Section, key: str | None, text: str, findings: Findings) -> None:
    """Our own format is strict; files that supervisord took must go on working."""
    if section.strict:
        findings.problem(section, key, text)
    else:
        findings.warning(section, key, text)
