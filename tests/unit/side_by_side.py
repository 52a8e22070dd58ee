"""Workers that run side by side, one request at a time, in the order that a schedule says."""

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Work = Callable[[], object]


class Died(BaseException):
    """A worker was killed: nothing of it runs any more, what it had asked for may have been done."""


class SideBySide:
    """Between any two requests of a worker, the schedule decides who makes the next one.

    Each number of the schedule names a worker; when it is used up they take turns. The requests
    whose numbers (0 for the first of all) are in `deaths` kill their worker: before they are made
    where the value is False, after that where it is True.
    """

    def __init__(self, schedule: Sequence[int] = (), deaths: dict[int, bool] | None = None) -> None:
        self._schedule: Iterator[int] = itertools.chain(schedule, itertools.count())
        self._deaths = deaths or {}
        self._requests = itertools.count()
        self._here = threading.local()

    def run(self, works: Sequence[Work]) -> list[BaseException | None]:
        """Runs all to their ends; what each of them raised."""
        workers = [_Worker(work, self._here) for work in works]
        alive = list(workers)
        while alive:
            worker = alive[next(self._schedule) % len(alive)]
            worker.goes_on()
            if worker.is_over:
                alive.remove(worker)
        return [worker.raised for worker in workers]

    def request(self, made: Callable[[], Any]) -> Any:
        """A worker's request, when its turn comes. Of whom is no worker, at once."""
        worker: _Worker | None = getattr(self._here, "worker", None)
        if worker is None:
            return made()
        worker.waits()
        dies_after = self._deaths.get(next(self._requests))
        if dies_after is False:
            raise Died
        answer = made()
        if dies_after is True:
            raise Died
        return answer


class _Worker:
    """A thread that only ever runs while the one that scheduled it waits for it."""

    def __init__(self, work: Work, here: threading.local) -> None:
        self.raised: BaseException | None = None
        self.is_over = False
        self._turn, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, args=(work, here))
        self._thread.start()

    def goes_on(self) -> None:
        """Until its next request, or its end."""
        self._turn.release()
        self._stopped.acquire()
        if self.is_over:
            self._thread.join()

    def waits(self) -> None:
        self._stopped.release()
        self._turn.acquire()

    def _run(self, work: Work, here: threading.local) -> None:
        here.worker = self
        self._turn.acquire()
        try:
            work()
        except BaseException as raised:  # noqa: BLE001 - it is told to whoever scheduled it
            self.raised = raised
        self.is_over = True
        self._stopped.release()
