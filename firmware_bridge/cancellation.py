"""Being asked to stop just as something fails: `except*` catches the failure, and the request would go with it."""

import asyncio


def stop_if_asked() -> None:
    """Call it after an `except*` around a task group that was caught.

    The group's body must be waiting for something itself when a task of it fails: a group that waits at its end for
    its tasks leaves a cancellation of its own on the running task (before Python 3.13), which looks like somebody's.

    Raises:
        asyncio.CancelledError: somebody has cancelled the running task; the group raised its failures instead.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
