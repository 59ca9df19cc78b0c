from __future__ import annotations

from typing import get_args

import pytest
from pydantic import BaseModel

from supervise.config.fields import Words
from supervise.config.model import SECTIONS, Plugin

# Source: Supervisor 4.3, docs/configuration.rst.
UPSTREAM = {
    "unix_http_server": "file chmod chown username password",
    "inet_http_server": "port username password",
    "supervisord": "logfile logfile_maxbytes logfile_backups loglevel pidfile umask nodaemon "
    "silent minfds minprocs nocleanup childlogdir user directory strip_ansi environment identifier",
    "supervisorctl": "serverurl username password prompt history_file",
    "program": "command process_name numprocs numprocs_start priority autostart startsecs "
    "startretries autorestart exitcodes stopsignal stopwaitsecs stopasgroup killasgroup user "
    "redirect_stderr stdout_logfile stdout_logfile_maxbytes stdout_logfile_backups "
    "stdout_capture_maxbytes stdout_events_enabled stdout_syslog stderr_logfile "
    "stderr_logfile_maxbytes stderr_logfile_backups stderr_capture_maxbytes "
    "stderr_events_enabled stderr_syslog environment directory umask serverurl",
    "group": "programs priority",
    "include": "files",
    "eventlistener": "command events buffer_size result_handler priority",
    "fcgi-program": "command socket socket_backlog socket_owner socket_mode",
}


@pytest.mark.parametrize("kind", UPSTREAM)
def test_every_key_of_supervisord_is_there(kind: str) -> None:
    assert set(UPSTREAM[kind].split()) <= set(SECTIONS[kind].model_fields)


@pytest.mark.parametrize("kind", [kind for kind, model in SECTIONS.items() if model is not Plugin])
def test_every_key_has_a_description_and_a_type_in_words(kind: str) -> None:
    model: type[BaseModel] = SECTIONS[kind]

    assert model.__doc__
    for name, field in model.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
        parts = [
            field.metadata,
            *(getattr(part, "__metadata__", ()) for part in get_args(field.annotation)),
        ]
        assert any(isinstance(each, Words) for part in parts for each in part), name
