"""The supervisor of a node: workers, the background process, the embedded database; what dies is started again."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable

from api.background.process import BackgroundProcess
from api.stopping import GRACE
from domain.clock import Clock

from .backoff import Backoff
from .connection_counts import ConnectionCounts, shared_memory
from .embedded import DatabaseWontStart, EmbeddedPostgres
from .listener import Listener
from .outages import Outages, why_away
from .worker_process import WorkerProcess, ending

STARTUP_FAILURE = 3
"""Uvicorn's exit code of a worker that cannot start at all."""

_TICK = 0.5
_STARTING_TICK = 0.05
_TURNED_AWAY = 0.1
"""Seconds for connections that are half begun to be accepted, before the port closes."""

_logger = logging.getLogger("daybook")


class Supervisor:
    """Watches over the processes of one node. All in one thread; `prepared` says when the database may be worked on."""

    def __init__(
        self,
        *,
        listener: Listener,
        workers: int,
        drain_for: float,
        database_url: str,
        embedded: EmbeddedPostgres | None,
        prepared: Callable[[], bool],
        clock: Clock,
    ) -> None:
        # the background process first: workers learn from it how to wake it
        self._background, self._background_backoff, self._background_since = BackgroundProcess(), Backoff(), 0.0
        self._background_due: float | None = 0.0
        self._listener, self._drain_for, self._embedded, self._prepared = listener, drain_for, embedded, prepared
        counts = shared_memory(workers)
        self._places = [Place(number, listener, counts) for number in range(workers)]
        self._outages = Outages(lambda: why_away(database_url), clock)
        self._stop, self._at_once = threading.Event(), threading.Event()
        self._drained = 0.0
        self._open = False
        self.ready = threading.Event()
        self.failed = False

    def run(self) -> None:
        """Until a signal, or `stop`; a second signal ends the draining."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            # what nohup had ignored stays so: the terminal may close
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._signalled)
        try:
            self._tick()
            while not self._stop.wait(_TICK if self.ready.is_set() else _STARTING_TICK):
                self._tick()
            self._drain()
        finally:
            self._end_all()

    def stop(self) -> None:
        """Stop as if told to by a signal, and at once."""
        self._at_once.set()
        self._stop.set()

    def _signalled(self, _number: int, _frame: object) -> None:
        if self._stop.is_set():
            self._at_once.set()
        else:
            self._drained = time.monotonic() + self._drain_for
        self._stop.set()

    def _tick(self) -> None:
        for place in self._places:
            self._outages.heard(place.look())
        if any(place.ready for place in self._places):
            self._open = True
            self.ready.set()
        elif self._open or any(place.ended for place in self._places):
            # nobody answers: better refused, and asked elsewhere, than kept waiting
            self._listener.refuse()
            self._open = False
        if any(place.cannot_start for place in self._places) and not (self.ready.is_set() or self._stop.is_set()):
            self.failed = True
            self.stop()
            return
        self._outages.tick()
        self._look_after_database()
        if self._prepared():
            self._look_after_background()

    def _look_after_background(self) -> None:
        now, code = time.monotonic(), self._background.exit_code()
        if code is not None and self._background_due is None:
            waits = self._background_backoff.after(now - self._background_since)
            self._background_due = now + waits
            _logger.warning("The background process ended %s; it is started again%s.", ending(code), _in(waits))
        if self._background_due is not None and now >= self._background_due:
            try:
                self._background.keep_running()
            except OSError as error:
                waits = self._background_backoff.after(0.0)
                _logger.error("The background process cannot be started (%s).", error.strerror)
                self._background_due = now + waits
                return
            self._background_since, self._background_due = now, None

    def _look_after_database(self) -> None:
        if self._embedded is None or self._embedded.running():
            return
        try:
            self._embedded.start(wanted=self._serving)
        except DatabaseWontStart as error:
            _logger.error("%s", error)
        else:
            _logger.warning("The database had ended and was started again.")

    def _serving(self) -> bool:
        """Whether requests are answered: until a signal, and while draining."""
        return not self._stop.is_set() or self._left_for_draining() > 0

    def _left_for_draining(self) -> float:
        return 0.0 if self._at_once.is_set() else self._drained - time.monotonic()

    def _drain(self) -> None:
        """Readiness says no, for as long as balancers take to notice; then the port closes to newcomers.

        Meanwhile everything is looked after, but that no worker is started: none would say no. With the last the drain
        is over.
        """
        for place in self._places:
            place.retire()
        while (left := self._left_for_draining()) > 0 and any(place.worker for place in self._places):
            self._at_once.wait(min(_TICK, left))
            self._tick()
        self._listener.turn_away()
        time.sleep(_TURNED_AWAY)

    def _end_all(self) -> None:
        """A worker whose thread waits for a frozen database would not end by itself.

        Once nobody writes any more, the log need not be kept.
        """
        self._outages.close()
        for place in self._places:
            place.signal(signal.SIGTERM)
        self._listener.close()
        deadline = time.monotonic() + GRACE + 0.5
        for place in self._places:
            place.end(deadline)
        self._background.stop()


class Place:
    """A worker, or the wait for the next one in its place."""

    def __init__(self, number: int, listener: Listener, counts: int) -> None:
        self._number, self._listener, self._counts, self._backoff = number, listener, counts, Backoff()
        self._due = 0.0
        self._retired = False
        self.worker: WorkerProcess | None = None
        self.ended = self.cannot_start = False

    @property
    def ready(self) -> bool:
        return self.worker is not None and self.worker.ready_since is not None

    def look(self) -> bytes:
        """See that one runs; what it reports."""
        self.ended = False
        if self.worker is None:
            if time.monotonic() >= self._due and not self._retired:
                self._start()
            return b""
        reports = self.worker.reports()
        if (code := self.worker.exit_code()) is not None:
            self._ended(self.worker, code)
        elif self.worker.hangs():
            _logger.error("Worker %d says nothing and does nothing any more; it is killed.", self.worker.pid)
            self.worker.signal(signal.SIGKILL)
        return reports

    def _start(self) -> None:
        try:
            self.worker = WorkerProcess(
                listener=self._listener.socket.fileno(), counts=self._counts, place=self._number
            )
        except OSError as error:
            # its Python may be replaced just now, or there are too many processes
            waits = self._backoff.after(0.0)
            _logger.error("A worker cannot be started (%s); it is tried again%s.", error.strerror, _in(waits))
            self._due = time.monotonic() + waits

    def retire(self) -> None:
        """No other follows. The worker says from now on that it is not ready; one that never was is told to end."""
        self.look()
        self._retired = True
        self.signal(signal.SIGUSR1 if self.ready else signal.SIGTERM)

    def _ended(self, worker: WorkerProcess, code: int) -> None:
        waits = self._backoff.after(worker.lived())
        before = "" if worker.ready_since is not None else " before it was ready"
        if not self._retired:
            _logger.warning("Worker %d ended %s%s; another is started%s.", worker.pid, ending(code), before, _in(waits))
        elif not before:
            _logger.warning("Worker %d ended %s while draining.", worker.pid, ending(code))
        self.ended, self.cannot_start = True, code == STARTUP_FAILURE
        worker.close()
        ConnectionCounts(self._counts).clear(self._number)
        self.worker, self._due = None, time.monotonic() + waits

    def signal(self, number: signal.Signals) -> None:
        """To the worker, if there is one."""
        if self.worker is not None:
            self.worker.signal(number)

    def end(self, deadline: float) -> None:
        """It was told to end; by then it has."""
        if self.worker is not None:
            if not self.worker.wait(deadline - time.monotonic()):
                self.worker.signal(signal.SIGKILL)
                self.worker.wait(5)
            self.worker.close()
            self.worker = None


def _in(seconds: float) -> str:
    return f" in {seconds:.0f} s" if seconds >= 1 else ""
