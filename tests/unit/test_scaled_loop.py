"""The scaled loop: its seconds are shorter by the scale, for sleeping, for timeouts and for what stands in between."""

import asyncio
import math
from time import perf_counter

import pytest

from firmware_bridge.scaled_loop import MAX_SCALE, MIN_SCALE, ScaledLoop, real_seconds, run_until_signal

SCALE = 50.0


def measured(seconds: float) -> tuple[float, float]:
    """What sleeping `seconds` at SCALE takes: on the loop's clock, and on the machine's."""
    on_loop = []

    async def main() -> int:
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(seconds)
        on_loop.append(asyncio.get_running_loop().time() - began)
        return 0

    began = perf_counter()
    assert run_until_signal(main(), scale=SCALE) == 0
    return on_loop[0], perf_counter() - began


def test_ten_seconds_pass_on_the_loop_and_far_fewer_outside() -> None:
    on_loop, outside = measured(10.0)
    assert on_loop >= 10.0
    assert outside < 5.0  # 0.2 s on an idle machine
    assert on_loop <= SCALE * outside  # the loop's clock never runs ahead of its scale


def test_timeouts_are_in_scaled_seconds() -> None:
    async def main() -> int:
        began = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5.0):
                await asyncio.Event().wait()
        assert asyncio.get_running_loop().time() - began >= 5.0
        return 3

    assert run_until_signal(main(), scale=SCALE) == 3


def test_the_loops_clock_begins_at_the_machines_and_never_goes_back() -> None:
    loop = ScaledLoop(SCALE)
    plain = asyncio.SelectorEventLoop()
    try:
        times = [loop.time() for _ in range(100)]
        assert times == sorted(times)
        assert times[0] >= plain.time() - 3600.0
    finally:
        loop.close()
        plain.close()


def test_a_loop_may_also_run_slower() -> None:
    async def main() -> int:
        began, outside = asyncio.get_running_loop().time(), perf_counter()
        await asyncio.sleep(0.02)
        assert perf_counter() - outside >= 0.19
        return round(1000 * (asyncio.get_running_loop().time() - began))

    assert (run_until_signal(main(), scale=MIN_SCALE) or 0) >= 20


def test_waits_on_the_outside_world_are_not_scaled() -> None:
    async def waited() -> float:
        return real_seconds(5.0)

    assert run_until_signal(waited(), scale=SCALE) == 5.0 * SCALE
    assert asyncio.run(waited()) == 5.0


@pytest.mark.parametrize("scale", [0.0, -1.0, MIN_SCALE / 1.01, MAX_SCALE * 1.01, math.inf, math.nan])
def test_a_scale_out_of_range_is_refused_with_the_range(scale: float) -> None:
    with pytest.raises(ValueError, match=r"0\.1 to 100"):
        ScaledLoop(scale)


def test_what_main_raises_comes_out() -> None:
    async def main() -> int:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        run_until_signal(main(), scale=SCALE)
