"""Who runs the trials: processes of this machine, or the workers of a Dask cluster. What they run is `work`."""

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from itertools import islice

from firmware_bridge.errors import LinkError
from sim.campaign.grid import Job
from sim.campaign.work import Row, work

WAITING_A_WORKER = 2  # jobs handed out ahead of the workers, so that none idles and an interruption loses little
CONNECT_S = 10


@contextmanager
def local_pool(workers: int) -> Iterator[Executor]:
    """Processes of this machine; they end with the block, also when it is interrupted."""
    # One thread each: the runs are the parallelism, and BLAS threads would fight for the same cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_leave_signals_to_the_parent)
    try:
        yield pool
    except BaseException:
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        raise
    pool.shutdown()


@contextmanager
def cluster_pool(address: str) -> Iterator[Executor]:
    """The workers of a running Dask scheduler, such as tcp://10.0.0.5:8786; they need the same leakloc.

    Raises:
        LinkError: Dask is not installed or nobody answers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise LinkError("Dask is not installed", remedy="install the extra: pip install 'leakloc[campaign]'") from error
    try:
        client = Client(  # type: ignore[no-untyped-call]
            address, timeout=CONNECT_S, set_as_default=False
        )
    except (OSError, ValueError) as error:
        raise LinkError(
            f"no Dask scheduler at {address!r}", remedy=f"{error}; start one with: dask scheduler"
        ) from error
    with client:
        yield client.get_executor(pure=False)  # type: ignore[no-untyped-call]


def results(pool: Executor, jobs: Sequence[Job], workers: int) -> Iterator[Row]:
    """Rows as they come, in no order; at most a few jobs wait at the pool."""
    waiting = iter(jobs)
    running: set[Future[Row]] = {pool.submit(work, job) for job in islice(waiting, WAITING_A_WORKER * workers)}
    while running:
        finished = next(as_completed(running))
        running.discard(finished)
        running |= {pool.submit(work, job) for job in islice(waiting, 1)}
        yield finished.result()


def _leave_signals_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
