"""``messenger setup-transports``: creates tables and whatever else the queues need.

Source of the texts: Symfony Messenger 7.2, ``SetupTransportsCommand``.
"""

from __future__ import annotations

import argparse

from workers.app import load
from workers.console import blocks
from workers.console.command import Command, Context
from workers.errors import ConfigError, NotConfiguredError, TransportError
from workers.transports.base import Transport
from workers.transports.sync import SyncTransport


def run(args: argparse.Namespace, context: Context) -> int:
    """Set up the named transport, or all; 1 if one could not be."""
    status = 0
    with load(args.config, context.environ) as app:
        if args.transport is not None and args.transport not in app.transports:
            raise ConfigError([f'The "{args.transport}" transport does not exist.'])
        for name in [args.transport] if args.transport else app.transports:
            try:
                _set_up(app.transports[name], context)
            except NotConfiguredError as error:
                print(f" ! [NOTE] {error}", file=context.stderr)
            except (ConfigError, TransportError) as error:
                print(f"messenger: {error}", file=context.stderr)
                status = 1
    return status


def _set_up(transport: Transport, context: Context) -> None:
    if isinstance(transport, SyncTransport):
        text = f' ! [NOTE] The "{transport.name}" transport does not support setup.'
        print(text, file=context.stderr)
        return
    transport.setup()
    blocks.ok(f'The "{transport.name}" transport was set up successfully.', context.stderr)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("transport", nargs="?", metavar="TRANSPORT", help="default: all")


COMMAND = Command(run, _arguments, "create what the transports need in their stores")
