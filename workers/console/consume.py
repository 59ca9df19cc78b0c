"""``messenger consume``: reads its arguments, puts a worker together, says what it does.

Source of options and texts: Symfony Messenger 7.2, ``ConsumeMessagesCommand``.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import socket
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from io import TextIOWrapper
from typing import TextIO

from workers.app import BUS_NAME, App, load
from workers.console import blocks, logs, values
from workers.console.command import Command, Context, UsageError
from workers.errors import ConfigError
from workers.transports.base import QueueReceiver, Transport
from workers.transports.pause import Pause
from workers.transports.sync import SyncTransport
from workers.worker.limits import Count, Limits
from workers.worker.loop import Worker
from workers.worker.name import worker_name
from workers.worker.restart import RestartWish
from workers.worker.settle import Settler
from workers.worker.signals import Abandoned, StopSignals
from workers.worker.station import Station

logger = logging.getLogger("messenger")


def run(args: argparse.Namespace, context: Context) -> int:
    """Consume until a limit, a signal or ``stop-workers``; then 0."""
    verbosity = -1 if args.quiet else args.verbose
    with load(args.config, context.environ) as app:
        log = app.settings.log
        logs.configure(verbosity, context.stderr, app.configuration.log_file, log.level)
        _check_bus(args.bus)
        receivers = _receivers(app, args.receivers)
        _only_queues(receivers, args.queues)
        app.check()
        if isinstance(context.stdout, TextIOWrapper):
            context.stdout.reconfigure(line_buffering=True)  # a handler's print is seen at once
        name = worker_name(args.name, context.environ, socket.gethostname(), os.getpid())
        signals = StopSignals(Pause())
        signals.install()
        worker = _worker(app, receivers, args, context.started, signals)
        if not args.quiet:
            _banner(receivers, name, args, context.stderr)
        for receiver in receivers:
            receiver.consume_as(name)
        return _run(worker, signals)


def _run(worker: Worker, signals: StopSignals) -> int:
    try:
        logger.info(worker.run())
    except Abandoned:
        logger.warning("Broken off by a second signal; the message in hand went back.")
        return 128 + (signals.received or 0)
    logger.info("Stopping worker.")
    return 0


def _worker(
    app: App,
    receivers: Sequence[Transport],
    args: argparse.Namespace,
    started: float,
    signals: StopSignals,
) -> Worker:
    limits = Limits(args.limit, args.failure_limit, args.time_limit, args.memory_limit)
    flags = app.restart_flags([receiver.name for receiver in receivers])
    own = {id(receiver) for receiver in receivers}
    return Worker(
        [(Station(receiver, time.monotonic), _settler(app, receiver)) for receiver in receivers],
        app.bus.dispatch,
        count=Count(limits, time.monotonic),
        wish=RestartWish(flags, started, time.time),  # noqa: TID251 - compared with another process's
        watched_flags=all(id(flag) in own for flag in flags),
        signals=signals,
        clock=time.monotonic,
        look=args.sleep,
    )


def _settler(app: App, receiver: Transport) -> Settler:
    failed = app.failure_transport(receiver.name)
    return Settler(
        receiver,
        app.retry_policy(receiver.name),
        app.transports[failed] if failed else None,
        luck=random.random,
        now=lambda: datetime.now(UTC),
    )


def _receivers(app: App, named: Sequence[str]) -> list[Transport]:
    """Give the transports to consume, in the order of the command line."""
    for name in named:
        if name not in app.transports:
            valid = ", ".join(app.transports)
            raise ConfigError(
                [f'The receiver "{name}" does not exist. Valid receivers are: {valid}.']
            )
    opened = [app.transports[name] for name in dict.fromkeys(named or [_only_one(app)])]
    receivers = [one for one in opened if not isinstance(one, SyncTransport)]
    if not receivers:
        raise ConfigError([f"{', '.join(named)}: what is handled at once cannot be consumed"])
    return receivers


def _only_one(app: App) -> str:
    """Give the transport that is meant when none is named."""
    queues = [name for name in app.transports if name not in app.failure_transports]
    queues = [name for name in queues if not app.settings.transports[name].dsn.startswith("sync:")]
    if len(queues) != 1:
        listed = ", ".join(queues) or "there is none in messenger.toml"
        raise UsageError(f"which receivers, in order of priority? {listed}")
    return queues[0]


def _only_queues(receivers: Iterable[Transport], queues: Sequence[str] | None) -> None:
    for receiver in receivers if queues else ():
        if not isinstance(receiver, QueueReceiver):
            text = f'Receiver for "{receiver.name}" cannot be told its queues (--queues).'
            raise ConfigError([text])
        receiver.consume_queues(queues or ())


def _check_bus(name: str | None) -> None:
    if name not in {None, "default", BUS_NAME}:
        raise ConfigError([f'Bus named "{name}" does not exist. There is one: {BUS_NAME}.'])


def _banner(
    receivers: Sequence[Transport], name: str, args: argparse.Namespace, stream: TextIO
) -> None:
    plural = "s" if len(receivers) > 1 else ""
    listed = ", ".join(receiver.name for receiver in receivers)
    blocks.ok(f'Consuming messages from transport{plural} "{listed}".', stream)
    remarks = [
        f"The worker will automatically exit once it has {_reasons(args)}.",
        "Quit the worker with CONTROL-C.",
    ]
    if args.verbose < 2:  # noqa: PLR2004 - the number of v's
        remarks.append("Re-run the command with a -vv option to see logs about consumed messages.")
    remarks += [f"{receiver.name}: {receiver.place}" for receiver in receivers]
    blocks.comments([*remarks, f"worker: {name}"], stream)


def _reasons(args: argparse.Namespace) -> str:
    reasons = [
        f"processed {args.limit} messages" if args.limit else "",
        f"reached {args.failure_limit} failed messages" if args.failure_limit else "",
        f"exceeded {values.as_size(args.memory_limit)} of memory" if args.memory_limit else "",
        f"been running for {args.time_limit:.15g}s" if args.time_limit else "",
    ]
    stop = "received a stop signal via the messenger:stop-workers command"
    said = ", ".join(reason for reason in reasons if reason)
    return f"{said} or {stop}" if said else stop


def _arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("receivers", nargs="*", metavar="RECEIVER", help="transports, in order of priority")
    add("-l", "--limit", type=values.positive("limit"), metavar="N", help="messages to receive")
    add(
        "-f",
        "--failure-limit",
        type=values.positive("failure-limit"),
        metavar="N",
        help="failures to stop after",
    )
    add("-m", "--memory-limit", type=values.size, metavar="SIZE", help="memory, such as 128M")
    add(
        "-t",
        "--time-limit",
        type=values.seconds("time-limit"),
        metavar="SECONDS",
        help="seconds to run; the message in hand is finished",
    )
    add(
        "--sleep",
        type=values.seconds("sleep", zero=True),
        default=1.0,
        metavar="SECONDS",
        help="pause between two looks at a transport that cannot announce messages (default 1)",
    )
    add("-b", "--bus", metavar="NAME", help="the bus to dispatch on")
    add("--queues", action="append", metavar="QUEUE", help="only this queue; may be repeated")
    add("--name", help="name of this worker; its successor takes up what it held")


COMMAND = Command(run, _arguments, "handle messages from queues")
