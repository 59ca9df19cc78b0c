"""A whole program from its messenger.toml, with real modules on the import path."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from workers import App, Envelope, load
from workers.errors import (
    ConfigError,
    DecodeError,
    MessageError,
    NoHandlerError,
    NotConfiguredError,
)
from workers.retry import RetryPolicy
from workers.stamps import Handled, Received, Sent, TransportNames
from workers.transports.base import RestartFlag

NUMBERS = itertools.count()
MODULE = """\
from dataclasses import dataclass
from workers import as_message, handles

@dataclass
class SmsNotification:
    content: str

@as_message("App\\\\Message\\\\Unhandled")
@dataclass
class Unhandled:
    number: int = 0

@handles
def send_sms(message: SmsNotification) -> None:
    print("sending", message.content)
"""
CONFIG = """\
import = ["{module}"]
failure_transport = "failed"

[transports]
async = "in-memory://?serialize=true"
failed = "in-memory://"
store = {{ dsn = "sqlite:///var/m.db", retry = {{ max_retries = 9, delay = 0.5 }} }}
own = {{ dsn = "in-memory://", failure_transport = "async", options = {{ serialize = true }} }}
remote = "%(ENV_REMOTE_DSN)s"
now = "sync://"

[routing]
"{module}.SmsNotification" = "async"
"""


@pytest.fixture
def module(tmp_path: Path) -> Iterator[str]:
    """A module of its own for each test: what was imported stays imported."""
    name = f"app_{os.getpid()}_{next(NUMBERS)}"
    (tmp_path / f"{name}.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "messenger.toml").write_text(CONFIG.format(module=name), encoding="utf-8")
    path = list(sys.path)
    yield name
    sys.path[:] = path
    for loaded in [one for one in sys.modules if one.startswith(name)]:
        del sys.modules[loaded]


@pytest.fixture
def app(module: str, tmp_path: Path) -> Iterator[App]:
    assert module
    with load(tmp_path / "messenger.toml", {}) as app:
        yield app


def message(app: App, content: str = "hello") -> object:
    kind = app.messages.codec(f"{app.settings.modules[0]}.SmsNotification")
    return kind.load(f'{{"content": "{content}"}}')


def test_nothing_is_imported_before_it_is_needed(app: App, module: str) -> None:
    assert module not in sys.modules
    assert str(app.root) not in sys.path

    app.check()

    assert module in sys.modules
    assert sys.path[-1] == str(app.root)


def test_a_message_is_sent_received_and_handled(
    app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = app.bus.dispatch(message(app))
    (received,) = app.transports["async"].get(10, 0)
    done = app.bus.dispatch(received, [Received("async")])

    assert sent.last(Sent) is not None
    assert capsys.readouterr().out == "sending hello\n"
    assert [stamp.handler for stamp in done.all(Handled)] == [f"{app.settings.modules[0]}.send_sms"]


def test_what_goes_to_sync_is_handled_at_once(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    app.bus.dispatch(message(app), [TransportNames(("now",))])

    assert capsys.readouterr().out == "sending hello\n"


def test_options_may_stand_in_a_table(app: App) -> None:
    with pytest.raises(MessageError, match="neither a dataclass"):  # serialize = true
        app.transports["own"].send(Envelope(object()))


def test_a_message_class_that_nobody_handles_can_still_arrive(app: App) -> None:
    unhandled = app.messages.codec(r"App\Message\Unhandled").load("{}")

    with pytest.raises(NoHandlerError, match=r"App\\Message\\Unhandled"):
        app.bus.dispatch(unhandled)


def test_a_class_of_another_module_does_not_arrive(app: App) -> None:
    with pytest.raises(DecodeError):
        app.messages.codec("dataclasses.dataclass")


def test_each_transport_has_its_policy_and_its_failure_transport(app: App) -> None:
    assert app.retry_policy("store") == RetryPolicy(max_retries=9, delay=0.5)
    assert app.retry_policy("async") == RetryPolicy()
    assert app.failure_transport("store") == "failed"
    assert app.failure_transport("own") == "async"
    assert app.failure_transport("failed") is None
    assert app.failure_transports == {"failed", "async"}


def test_the_flag_lives_in_the_consumed_store_or_where_the_file_says(
    app: App, module: str, tmp_path: Path
) -> None:
    store: object = app.transports["store"]
    assert isinstance(store, RestartFlag)
    assert app.restart_flags(["async", "store"]) == [store]

    (tmp_path / "messenger.toml").write_text(
        'restart_flag = "store"\n' + CONFIG.format(module=module), encoding="utf-8"
    )
    with load(tmp_path / "messenger.toml", {}) as other:
        named: object = other.transports["store"]
        assert [flag is named for flag in other.restart_flags(["async"])] == [True]


def test_transports_are_made_once_and_listed_in_the_order_of_the_file(app: App) -> None:
    assert list(app.transports) == ["async", "failed", "store", "own", "remote", "now"]
    assert len(app.transports) == 6
    assert app.transports["async"] is app.transports["async"]
    assert "remote" in app.transports
    assert "nope" not in app.transports


def test_relative_files_start_from_the_root(app: App, tmp_path: Path) -> None:
    assert str(tmp_path / "var/m.db") in app.transports["store"].place
    assert not (tmp_path / "var").exists()


def test_a_variable_that_is_not_set_hurts_only_who_uses_it(app: App) -> None:
    app.bus.dispatch(message(app))

    with pytest.raises(NotConfiguredError, match="REMOTE_DSN is not set"):
        _ = app.transports["remote"]


def test_an_unknown_transport_gets_a_hint(app: App) -> None:
    with pytest.raises(ConfigError, match='no transport is called "asinc"; did you mean "async"'):
        _ = app.transports["asinc"]
    with pytest.raises(ConfigError, match=r"\(there are async, failed, store, own, remote, now\)"):
        _ = app.transports["zzz"]


def test_an_app_may_be_closed_twice(app: App) -> None:
    assert app.transports["async"].count() == 0

    app.close()
    app.close()


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('import = ["', 'import = ["gone_', 'there is no module "gone_'),
        ('.SmsNotification" =', '.SmsNotificaton" =', "there is no such class; did you mean"),
        ('"{module}.SmsNotification" =', '"gone.away.Class" =', "there is no such class"),
        ('"{module}.SmsNotification" =', '"NoModule" =', "there is no such class"),
        ('"{module}.SmsNotification" =', '"..a.B" =', "there is no such class"),
    ],
)
def test_a_configuration_that_fits_no_code_is_refused(
    module: str, tmp_path: Path, old: str, new: str, problem: str
) -> None:
    text = CONFIG.replace(old, new).format(module=module)
    (tmp_path / "messenger.toml").write_text(text, encoding="utf-8")

    with load(tmp_path / "messenger.toml", {}) as app, pytest.raises(ConfigError, match=problem):
        app.check()


def test_a_parent_that_is_no_message_may_be_routed(module: str, tmp_path: Path) -> None:
    text = CONFIG.format(module=module) + '"collections.abc.Sized" = "async"\n"*" = "async"\n'
    (tmp_path / "messenger.toml").write_text(text, encoding="utf-8")

    with load(tmp_path / "messenger.toml", {}) as app:
        app.check()


def test_what_a_module_misses_itself_is_its_own_error(module: str, tmp_path: Path) -> None:
    (tmp_path / f"{module}.py").write_text("import not_there_at_all", encoding="utf-8")

    with load(tmp_path / "messenger.toml", {}) as app, pytest.raises(ModuleNotFoundError):
        app.check()


def test_what_a_package_imported_of_itself_is_found(module: str, tmp_path: Path) -> None:
    package = tmp_path / f"{module}_pkg"
    package.mkdir()
    (package / "__init__.py").write_text("from . import inner", encoding="utf-8")
    (package / "inner.py").write_text(MODULE, encoding="utf-8")
    text = CONFIG.format(module=f"{module}_pkg").replace("_pkg.Sms", "_pkg.inner.Sms")
    (tmp_path / "messenger.toml").write_text(text, encoding="utf-8")

    with load(tmp_path / "messenger.toml", {}) as app:
        app.check()

        assert [one.name for one in app.handlers.all] == [f"{module}_pkg.inner.send_sms"]


README = """\
import = ["app"]
failure_transport = "failed"

[transports]
async = "sqlite:///var/messages.db"
failed = "sqlite:///var/messages.db?queue_name=failed"
remote = "%(ENV_MESSENGER_TRANSPORT_DSN)s"

[routing]
"app.SmsNotification" = "async"
"""


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (directory / "app.py").write_text(MODULE + AT_THE_END, encoding="utf-8")
    (directory / "messenger.toml").write_text(README, encoding="utf-8")
    return subprocess.run(
        [sys.executable, *arguments], cwd=directory, capture_output=True, text=True, check=False
    )


AT_THE_END = """
if __name__ == "__main__":
    from workers import load
    load("messenger.toml").bus.dispatch(SmsNotification("from the script itself"))
"""


def test_the_example_of_the_readme_holds_to_the_letter(tmp_path: Path) -> None:
    code = (
        "from app import SmsNotification\n"
        "from workers import load\n"
        'load("messenger.toml").bus.dispatch(SmsNotification("hello"))\n'
    )

    done = run(tmp_path, "-c", code)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with load(tmp_path / "messenger.toml", {}) as app:
        assert app.transports["async"].count() == 1


def test_a_message_of_the_started_script_is_refused_with_the_reason(tmp_path: Path) -> None:
    done = run(tmp_path, "app.py")

    assert done.returncode == 1
    assert "SmsNotification is defined in the script that was started (__main__)" in done.stderr
