"""A task that is cancelled just as its work fails ends, and does not try again."""

import asyncio

import pytest

from firmware_bridge.cancellation import stop_if_asked


class WorkError(Exception):
    """What the work fails with."""


async def tries_for_ever(tries: list[int], *, asks: bool) -> None:
    while len(tries) < 3:
        tries.append(1)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_fails_when_cancelled())
        except* WorkError:
            pass
        if asks:
            stop_if_asked()


async def _fails_when_cancelled() -> None:
    try:
        await asyncio.sleep(3600.0)
    except asyncio.CancelledError:
        raise WorkError from None


async def cancelled_after_a_moment(*, asks: bool) -> tuple[list[int], bool]:
    tries: list[int] = []
    task = asyncio.create_task(tries_for_ever(tries, asks=asks))
    await asyncio.sleep(0.01)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=0.05)
    ended = bool(done) and task.cancelled()
    while not task.done():
        task.cancel()
        await asyncio.sleep(0.01)
    return tries, ended


def test_a_cancelled_task_does_not_try_again() -> None:
    assert asyncio.run(cancelled_after_a_moment(asks=True)) == ([1], True)


def test_without_asking_it_would() -> None:
    """What the function is for; if a later Python makes this fail, it can go."""
    tries, ended = asyncio.run(cancelled_after_a_moment(asks=False))
    assert len(tries) > 1
    assert not ended


def test_nobody_asked() -> None:
    async def unasked() -> None:
        stop_if_asked()

    asyncio.run(unasked())
    with pytest.raises(RuntimeError):
        stop_if_asked()  # outside of a task there is nobody to ask
