"""The whole story by itself: `make demo`.

Starts superd with a copy of etc/ in a directory of its own, dispatches photos and text
messages, kills a consumer, shows that it is back, stops the workers, stops all. Everything
goes through the programs a user types; this file only types them. Exits 1 if anything
that was dispatched was not handled.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess  # noqa: TID251 - it types commands, as a user does
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.progress import track

from workers.app import App, load
from workers.consumers import store
from workers.consumers.photos import AddPonkaToImage, DeletePhotoFile
from workers.consumers.sms import SmsNotification

PHOTOS = 24
TEXTS = 200
PATIENCE = 15.0  # seconds for anything to happen
LOOK_AGAIN = 0.05

console = Console(highlight=False)


class DemoError(Exception):
    """The story did not go as told."""


def main() -> int:
    """Tell the story; give the exit status."""
    project = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory(prefix="demo-") as name:
        home = Path(name)
        shutil.copytree(project / "etc", home / "etc")
        os.chdir(home)
        os.environ["MESSENGER_CONFIG"] = str(home / "etc" / "messenger.toml")
        superd = subprocess.Popen(
            [_program("superd"), "-n", "-s", "-c", "etc/superd.toml"], stdin=subprocess.DEVNULL
        )
        try:
            _tell(home, superd)
        except DemoError as error:
            console.print(f"[red]the demo failed:[/red] {error}")
            return 1
        finally:
            superd.terminate()
            superd.wait(timeout=PATIENCE)
    console.print("superd has stopped and left nothing behind.")
    return 0


def _tell(home: Path, superd: subprocess.Popen[bytes]) -> None:
    _say("superd starts two consumers")
    _wait("superd to start its consumers", lambda: superd.poll() is not None or _running() == 2)  # noqa: PLR2004 - numprocs
    if superd.poll() is not None:
        raise DemoError("superd did not start; why stands above")
    _type("superctl", "status")
    app = load()
    ids, doomed = _dispatch(app)
    _say("a consumer is killed with SIGKILL, in the middle of its work")
    victim = _pid()
    os.kill(victim, signal.SIGKILL)  # noqa: TID251 - our own superd's child, by its own word
    _wait("the killed consumer to be back", lambda: _pid() not in (0, victim))
    console.print(f"pid {victim} is gone, pid {_pid()} has taken its place")
    _type("superctl", "status")
    _say("a worker by hand, on the queue that the two leave alone")
    _type("messenger", "consume", "async_priority_high", "--limit=1", "-vv")
    _wait("the queues to run empty", lambda: _waiting(app) == 0)
    _type("messenger", "stats")
    _say("messenger stop-workers: each finishes its message and is replaced, as on a deploy")
    before = _pid()
    _type("messenger", "stop-workers")
    _wait("a new generation of consumers", lambda: _pid() not in (0, before) and _running() == 2)  # noqa: PLR2004
    _type("superctl", "status")
    _type("superctl", "stop", "messenger-consume:*")
    app.close()
    _check(home, ids, doomed)


def _dispatch(app: App) -> tuple[list[int], Path]:
    """Dispatch everything, with a progress bar; give the photos' ids and a doomed file."""
    folder = store.files() / "photos"
    folder.mkdir(parents=True)
    doomed = folder / "doomed.png"
    doomed.write_bytes(b"")
    ids = []
    for number in track(range(PHOTOS), "photos to dispatch", console=console):
        filename = f"{number:03d}.png"
        Image.new("RGB", (640, 480), (40, 90 + 4 * number, 160)).save(folder / filename)
        ids.append(store.add_photo(filename).id)
        app.bus.dispatch(AddPonkaToImage(ids[-1]))
    for number in track(range(TEXTS), "texts to dispatch ", console=console):
        app.bus.dispatch(SmsNotification(f"text {number}"))
    app.bus.dispatch(DeletePhotoFile(doomed.name))
    return ids, doomed


def _check(home: Path, ids: list[int], doomed: Path) -> None:
    """Compare what was dispatched with what became of it. Raises DemoError."""
    done = sum(1 for each in ids if (photo := store.find_photo(each)) and photo.ponka_added_at)
    lines = (home / "var" / "outbox" / "sms.txt").read_text().splitlines()
    texts = len({line for line in lines if line.startswith("text ")})
    console.print(
        f"\n[green]handled:[/green] {done} of {PHOTOS} photos have Ponka in them, {texts} of "
        f"{TEXTS} texts are in the outbox, the deleted photo's file is "
        f"{'still there' if doomed.exists() else 'gone'}"
    )
    if done != PHOTOS or texts != TEXTS or doomed.exists():
        raise DemoError("not everything that was dispatched was handled")


def _program(name: str) -> str:
    """Give the path of a console script that was installed beside this interpreter."""
    return str(Path(sys.executable).parent / name)


def _type(*words: str) -> None:
    """Show a command and run it, as in a terminal. Raises DemoError if it fails."""
    console.print(f"\n[bold]$ {' '.join(words)}[/bold]")
    sys.stdout.flush()
    done = subprocess.run([_program(words[0]), *words[1:]], check=False)
    if done.returncode != 0:
        raise DemoError(f"{' '.join(words)} ended with exit status {done.returncode}")


def _ask(*words: str) -> str:
    """Run a command and give what it printed, whatever its exit status."""
    command = [_program(words[0]), *words[1:]]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _running() -> int:
    return _ask("superctl", "status").count("RUNNING")


def _pid() -> int:
    answer = _ask("superctl", "pid", "messenger-consume:messenger-consume_00").strip()
    return int(answer) if answer.isdigit() else 0


def _waiting(app: App) -> int:
    """Count what is not settled yet, in all queues that are consumed."""
    found = [app.transports[name].stats() for name in ("async", "async_priority_high")]
    return sum(one.ready + one.delayed + one.in_hand + one.abandoned for one in found)


def _wait(what: str, happened: Callable[[], bool]) -> None:
    """Look until ``happened``. Raises DemoError after PATIENCE seconds."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > deadline:
            raise DemoError(f"waited {PATIENCE:g} seconds for {what}")
        time.sleep(LOOK_AGAIN)


def _say(text: str) -> None:
    console.print(f"\n[cyan]{text}[/cyan]")


if __name__ == "__main__":
    sys.exit(main())
