"""``messenger dispatch TYPE JSON``: sends one message, as the application would."""

from __future__ import annotations

import argparse

from workers.app import load
from workers.console import logs, values
from workers.console.command import Command, Context
from workers.envelope import Envelope
from workers.stamps import Handled, Sent, TransportMessageId


def run(args: argparse.Namespace, context: Context) -> int:
    """Dispatch the message and say where it went."""
    body = context.stdin.buffer.read() if args.body == "-" else args.body
    with load(args.config, context.environ) as app:
        log = app.settings.log
        verbosity = -1 if args.quiet else args.verbose
        logs.configure(verbosity, context.stderr, app.configuration.log_file, log.level)
        message = app.messages.codec(args.type).load(body)
        done = app.bus.dispatch(message, delay=args.delay)
    if not args.quiet:
        print(f"{args.type} {_what_became_of(done)}", file=context.stdout)
    return 0


def _what_became_of(envelope: Envelope) -> str:
    sent = [stamp.transport for stamp in envelope.all(Sent)]
    if sent:
        ids = [str(stamp.id) for stamp in envelope.all(TransportMessageId)]
        number = f" (id {', '.join(ids)})" if ids else ""
        return f"sent to {', '.join(sent)}{number}"
    return f"handled by {', '.join(stamp.handler for stamp in envelope.all(Handled))}"


def _arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("type", metavar="TYPE", help="the message's type, such as app.SmsNotification")
    add("body", metavar="JSON", nargs="?", default="{}", help="its properties; - reads them")
    add(
        "--delay",
        type=values.seconds("delay", zero=True),
        metavar="SECONDS",
        help="deliver it that much later",
    )


COMMAND = Command(run, _arguments, "send a message")
