"""Who runs the trials: processes of this machine, or the workers of a Dask cluster. What they run is `work`."""

import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from urllib.parse import urlsplit

from sim.campaign.grid import Job
from sim.campaign.work import Row, work
from sim.errors import ClusterError, PoolError

WAITING_A_WORKER = 2  # jobs handed out ahead of the workers, so that none idles and an interruption loses little
CONNECT_S = 10


@contextmanager
def local_pool(workers: int) -> Iterator[Executor]:
    """Processes of this machine; they end with the block, also when it is interrupted.

    Raises:
        PoolError: one of them was killed.
    """
    # One thread each: the runs are the parallelism, and BLAS threads would fight for the same cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_belong_to_the_parent)
    try:
        yield pool
    except BrokenProcessPool as error:
        raise PoolError(
            "a worker was killed, perhaps for want of memory", remedy="run the same command again, with fewer --workers"
        ) from error
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
        ClusterError: Dask is not installed or nobody answers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ClusterError(
            "Dask is not installed", remedy="install the extra: pip install 'leakloc[campaign]'"
        ) from error
    _probe(address)
    try:
        client = Client(  # type: ignore[no-untyped-call]
            address, timeout=CONNECT_S, set_as_default=False
        )
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"no Dask scheduler at {address!r}", remedy=f"{error}; start one with: dask scheduler"
        ) from error
    with client:
        yield client.get_executor(pure=False)  # type: ignore[no-untyped-call]


def _probe(address: str) -> None:
    """Refuse what is no address, and a port at which nobody says anything: Dask's client waits for it without end.

    A scheduler speaks first, as soon as somebody connects.
    """
    url = urlsplit(address)
    try:
        place = (url.hostname, url.port) if url.scheme == "tcp" else (None, None)
    except ValueError:  # a port that is no number, or too large
        place = (None, None)
    if None in place:
        raise ClusterError(f"{address!r} is no address of a Dask scheduler", remedy="it is like tcp://10.0.0.5:8786")
    try:
        with socket.create_connection(place, timeout=CONNECT_S) as connection:
            connection.settimeout(CONNECT_S)
            spoken = connection.recv(1)
    except OSError as error:
        raise ClusterError(
            f"no Dask scheduler at {address!r}", remedy=f"{error}; start one with: dask scheduler"
        ) from error
    if not spoken:
        raise ClusterError(f"no Dask scheduler at {address!r}", remedy="what listens there is something else")


def results(pool: Executor, jobs: Sequence[Job], workers: int) -> Iterator[Row]:
    """Rows as they come, in no order; at most a few jobs wait at the pool."""
    waiting = iter(jobs)
    running: set[Future[Row]] = {pool.submit(work, job) for job in islice(waiting, WAITING_A_WORKER * workers)}
    while running:
        finished = next(as_completed(running))
        running.discard(finished)
        running |= {pool.submit(work, job) for job in islice(waiting, 1)}
        yield finished.result()


def _belong_to_the_parent() -> None:
    """Leave Ctrl-C to the parent, and end with it, also where it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
