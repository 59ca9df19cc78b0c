"""Sections into a Plan: the daemon, its servers, and every group with its processes.

Source of the rules: Supervisor 4.3, ``options.ServerOptions.read_config`` and
``process_groups_from_parser``; a name that two things claim is an error here.
"""

from __future__ import annotations

from supervise.config.expand import ExpansionError, Names, environment_names, expand_all
from supervise.config.groups import GroupMaker
from supervise.config.model import SECTIONS, Supervisorctl, Supervisord
from supervise.config.pairs import pairs
from supervise.config.programs import ProgramMaker
from supervise.config.section import Findings, Section
from supervise.config.servers import servers
from supervise.config.surroundings import Surroundings
from supervise.config.validate import Known, expanded, known_sections, validated
from supervise.config.values import SYSLOG
from supervise.core.spec import AUTO, DaemonSpec, Plan, UserSpec

MAIN_RPC = "supervisor.rpcinterface:make_main_rpcinterface"


def build(
    sections: dict[str, Section], surroundings: Surroundings, findings: Findings
) -> Plan | None:
    """Give daemon, servers and groups; what is wrong goes to ``findings``.

    None if there is no [supervisord], without which nothing else makes sense.
    """
    known = known_sections(sections, SECTIONS, findings)
    if not known["supervisord"]:
        return None
    main = known["supervisord"][0]
    names = surroundings.names()
    environment = _environment(main, names, findings)
    daemon = _daemon(main, names, environment, surroundings, findings)
    names.update(environment_names(environment))
    maker = ProgramMaker(
        surroundings=surroundings,
        findings=findings,
        names=names,
        environment=environment,
        log_base=surroundings.cwd if daemon.nodaemon else daemon.directory or surroundings.cwd,
        strip_ansi=daemon.strip_ansi,
    )
    groups = GroupMaker(known, maker).make()
    _plugins(known, findings)
    return Plan(daemon, servers(known, names, surroundings, findings), groups)


def client_problems(sections: dict[str, Section], surroundings: Surroundings) -> list[str]:
    """Say what superctl would find wrong with its section; the daemon does not mind."""
    section = sections.get("supervisorctl")
    findings = Findings()
    if section is not None:
        values = expanded(section, surroundings.names(), findings)
        validated(section, Supervisorctl, values, findings)
    return findings.problems


def _environment(main: Section, names: Names, findings: Findings) -> dict[str, str]:
    """Give ``environment`` of [supervisord]. As in supervisord, text is expanded twice."""
    entry = main.entries.get("environment")
    if entry is None:
        return {}
    names["here"] = entry.here
    try:
        return pairs(expand_all(expand_all(entry.value, names), names))
    except ExpansionError as error:
        more = "; this key is expanded twice: a literal % is %%%%"
        findings.problem(main, "environment", f"{error}{more}")
    except ValueError as error:
        findings.problem(main, "environment", str(error))
    return {}


def _daemon(
    main: Section,
    names: Names,
    environment: dict[str, str],
    surroundings: Surroundings,
    findings: Findings,
) -> DaemonSpec:
    keys = [key for key in main.entries if key != "environment"]
    given = {**expanded(main, names, findings, keys=keys), "environment": environment}
    model = validated(main, Supervisord, given, findings)
    if model is None:
        return DaemonSpec()
    absolute = surroundings.absolute
    logfile = model.logfile
    if logfile not in (None, SYSLOG):
        logfile = absolute("AUTO" if logfile == AUTO else str(logfile))
    return DaemonSpec(
        logfile=logfile,
        logfile_maxbytes=model.logfile_maxbytes,
        logfile_backups=model.logfile_backups,
        loglevel=model.loglevel,
        pidfile=absolute(model.pidfile),
        umask=model.umask,
        nodaemon=model.nodaemon,
        silent=model.silent,
        minfds=model.minfds,
        minprocs=model.minprocs,
        nocleanup=model.nocleanup,
        childlogdir=absolute(model.childlogdir or surroundings.temporary),
        user=_user(main, model, surroundings, findings),
        directory=_directory(main, model, surroundings, findings),
        strip_ansi=model.strip_ansi,
        identifier=model.identifier,
        shutdown_timeout=model.shutdown_timeout,
    )


def _user(
    main: Section, model: Supervisord, surroundings: Surroundings, findings: Findings
) -> UserSpec | None:
    if model.user is None:
        return None
    try:
        return surroundings.accounts.user(model.user)
    except ValueError as error:
        findings.problem(main, "user", str(error))
        return None


def _directory(
    main: Section, model: Supervisord, surroundings: Surroundings, findings: Findings
) -> str | None:
    if not model.directory:
        return None
    directory = surroundings.absolute(model.directory)
    if not surroundings.is_directory(directory):
        findings.problem(main, "directory", f"{directory} is not an existing directory")
    return directory


def _plugins(known: Known, findings: Findings) -> None:
    for section in (*known["rpcinterface"], *known["ctlplugin"]):
        key = "supervisor.rpcinterface_factory"
        entry = section.entries.get(key)
        if section.kind == "rpcinterface" and entry is not None and entry.value == MAIN_RPC:
            continue
        text = "the section is accepted, but nothing is loaded into superd or superctl"
        findings.warning(section, key if entry else None, text)
