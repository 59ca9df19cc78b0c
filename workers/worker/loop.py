"""The loop of ``messenger consume``: take, handle, settle, until there is a reason to stop.

Receivers are asked strictly in their order, from the first one again after every batch,
and a batch is about 50 ms of work. A reason to stop is looked for between messages; what
was taken and not begun goes back at once. An idle worker waits in one system call for
all of its transports, for signals and for whatever falls due.
Source of the rules: Symfony Messenger 7.2, ``Worker::run``.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from typing import Final

from workers.envelope import Envelope
from workers.errors import TransportError, WorkersError
from workers.message import label
from workers.stamps import ConsumedByWorker, Received
from workers.transports.base import Watchable
from workers.worker import output
from workers.worker.limits import Count
from workers.worker.pace import SLICE
from workers.worker.restart import RestartWish
from workers.worker.settle import Settler
from workers.worker.signals import Abandoned, StopSignals
from workers.worker.station import Station

logger = logging.getLogger("messenger")

_LAST_TRIES: Final = 5.0  # seconds a worker that stops tries to write down what it did


class Worker:
    def __init__(
        self,
        stations: Sequence[tuple[Station, Settler]],
        dispatch: Callable[[Envelope], Envelope],
        *,
        count: Count,
        wish: RestartWish,
        watched_flags: bool,
        signals: StopSignals,
        clock: Callable[[], float],
        look: float,
    ) -> None:
        """``watched_flags``: the restart flag lies in one of the receivers' own stores.

        ``look`` is how many seconds lie between two looks at what cannot announce itself.
        """
        self._stations = stations
        self._dispatch = dispatch
        self._count = count
        self._wish = wish
        self._watched_flags = watched_flags
        self._signals = signals
        self._pause = signals.pause
        self._clock = clock
        self._look = look

    def run(self) -> str:
        """Consume until there is a reason to stop; give the reason, in the words of the log.

        Raises:
            Abandoned: a second signal broke a handler off; its message went back.
            BrokenPipeError: nobody reads standard output; the message in hand went back.
        """
        try:
            while (reason := self._reason()) is None:
                if not self._round():
                    self._idle()
        finally:
            self._settle_all()
        return reason

    def _round(self) -> bool:
        """Handle one batch of the first receiver that has something."""
        for station, settler in self._stations:
            envelopes = station.take(self._count.room(station.pace.batch))
            if envelopes:
                self._work(station, settler, envelopes)
                return True
        return False

    def _work(self, station: Station, settler: Settler, envelopes: Sequence[Envelope]) -> None:
        """Handle a batch in order; stop early when it takes long or there is a reason."""
        began = last = self._clock()
        slowest, done = 0.0, 0
        with station.guarded(envelopes) as rest:
            while not done or not (last - began >= SLICE or self._must_stop()):
                try:
                    envelope = rest.popleft()
                except IndexError:
                    break
                done += 1
                self._handle(station, settler, envelope)
                now = self._clock()
                slowest, last = max(slowest, now - last), now
        station.pace.learn(done, last - began, slowest)

    def _handle(self, station: Station, settler: Settler, envelope: Envelope) -> None:
        """Handle one message and decide what becomes of it, whatever the handler does."""
        self._count.received += 1
        try:
            self._call(envelope.with_(Received(station.receiver.name), ConsumedByWorker()))
        except Abandoned:
            station.give_back([envelope])
            raise
        except BaseException as error:  # the border of one message
            if output.is_lost(error):
                text = "Nobody reads what the handlers print: leaving, %s goes back."
                logger.critical(text, label(envelope))
                station.give_back([envelope])
                raise BrokenPipeError from error
            self._count.failed += 1
            self._settle_failure(station, settler, envelope, error)
        else:
            text = "%s was handled successfully (acknowledging to transport)."
            logger.info(text, label(envelope))
            station.handled(envelope)

    def _call(self, envelope: Envelope) -> None:
        signals = self._signals
        signals.handling = True
        try:
            if signals.insisted:
                raise Abandoned
            self._dispatch(envelope)
        finally:
            signals.handling = False
            if signals.forked:
                os._exit(1)  # a child that came back out of a handler: the queue is its parent's

    def _settle_failure(
        self, station: Station, settler: Settler, envelope: Envelope, error: BaseException
    ) -> None:
        """Retry or set aside; if neither can be written, the message goes back as it was."""
        if not isinstance(error, Exception):
            error = WorkersError(f"the handler ended with {type(error).__name__}: {error}")
        try:
            settler.settle(envelope, error)
        except WorkersError as trouble:
            logger.error("%s failed and could not be set aside: %s", label(envelope), error)  # noqa: TRY400 - our text says it
            station.give_back([envelope])
            station.failed(trouble)

    def _must_stop(self) -> bool:
        return self._signals.received is not None or self._count.reached() is not None

    def _reason(self) -> str | None:
        if self._signals.received is not None:
            return f"Received signal {self._signals.received.name}."
        reason = self._count.reached() or self._count.memory_reached()
        if reason is None and self._wish.is_there():
            return "Worker stopped because a restart was requested."
        return reason

    def _idle(self) -> None:
        """Wait for a message, a signal, a due time or a limit. Looks once more before it waits.

        Descriptors have to be asked for before the look, or what arrives in between is missed.
        """
        fds: list[int] = []
        waits = [left for left in [self._count.seconds_left()] if left is not None]
        if not self._watched_flags:
            waits.append(min(self._look, 1.0))  # an idle worker obeys within 2 seconds
        working = [station for station, _ in self._stations if not station.resting]
        waits += [station.resting for station, _ in self._stations if station.resting]
        try:
            for station in working:
                if isinstance(station.receiver, Watchable):
                    fds += station.receiver.wake_fds()
                else:
                    waits.append(self._look)
            if self._reason() is not None or self._round() or self._reason() is not None:
                return  # asked again: the round has drained the word of a wish made meanwhile
            for station in working:
                due = station.receiver.due_in() if isinstance(station.receiver, Watchable) else None
                waits += [] if due is None else [due]
        except TransportError:
            waits.append(self._look)  # the next look tells which, and says so
        logger.debug("Nothing to do, waiting.")
        self._pause.wait(fds, min(waits, default=None))

    def _settle_all(self) -> None:
        """Write down what is still owed; a store in trouble gets a few seconds."""
        deadline = self._clock() + _LAST_TRIES
        for station, _ in self._stations:
            station.settle()
            while station.owes and self._clock() < deadline and not self._signals.insisted:
                self._pause.wait((), min(station.resting, deadline - self._clock()))
                station.settle()
            if station.owes:
                text = "what was handled from %s could not be written down: it will come again"
                logger.critical(text, station.receiver.name)
