"""What a campaign consists of, how its results are kept, and what its summary says."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from firmware_bridge.errors import DeclaredFileError
from sim.campaign import pool as pool_module
from sim.campaign.grid import Job, jobs, put
from sim.campaign.pool import cluster_pool, local_pool
from sim.campaign.store import LINES, Store
from sim.campaign.summary import COLUMNS, summary
from sim.campaign.work import work
from sim.cli.campaign import Seeds
from sim.errors import ClusterError, PoolError
from tests.support.processes import alive
from tests.support.shipped import CONFIGS

MS09 = CONFIGS / "scenarios" / "ms09-2018.toml"


def grid(seeds: tuple[int, ...] = (1, 2), **settings: tuple[str, ...]) -> list[Job]:
    named = [(name.replace("__", "."), values) for name, values in settings.items()]
    return jobs([MS09], CONFIGS / "sites", seeds, named, small=False, controller="leakctl")


def row(key: str, **columns: Any) -> dict[str, Any]:
    usual = {
        "key": key, "scenario": "s", "seed": 1, "failure": "", "success": True, "error_m": 0.01, "fixed_s": 10.0,
        "confirmed_s": None, "false_alarms": 0, "false_fixes": 0,
    }  # fmt: skip
    return usual | columns


def test_every_combination_has_its_own_key_and_the_same_one_next_time() -> None:
    once = grid(leaks__0__diameter_mm=("1.0", "2.0", "3.0"))
    again = grid(leaks__0__diameter_mm=("1.0", "2.0", "3.0"))
    assert len({job.key for job in once}) == 6
    assert [job.key for job in once] == [job.key for job in again]
    assert [job.tables["leaks"][0]["diameter_mm"] for job in once] == [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]


def test_a_key_depends_on_what_is_run_and_on_nothing_else() -> None:
    (plain,) = grid((1,))
    (same,) = grid((1,), seed=("1",))  # what the file says anyway
    (other,) = grid((1,), duration_s=("500.0",))
    assert plain.key == same.key != other.key


def test_a_value_that_the_scenario_does_not_allow_is_told_before_anything_runs() -> None:
    with pytest.raises(DeclaredFileError, match="diameter_mm"):
        grid(leaks__0__diameter_mm=("-1.0",))
    with pytest.raises(DeclaredFileError, match="no such place"):
        grid(leaks__7__diameter_mm=("1.0",))
    with pytest.raises(DeclaredFileError, match="too many"):
        grid(tuple(range(60_000)), duration_s=("1.0", "2.0"))


@pytest.mark.parametrize(("text", "value"), [("3", 3), ("2.5", 2.5), ("true", True), ("left", "left"), ('"7"', "7")])
def test_settings_are_toml_and_bare_words_are_text(text: str, value: object) -> None:
    tables: dict[str, Any] = {}
    put(tables, "a.b.c", text)
    assert tables == {"a": {"b": {"c": value}}}


def test_a_run_that_cannot_be_done_is_a_row_that_says_why() -> None:
    (job,) = jobs([MS09], CONFIGS / "sites", (1,), [("duration_s", ("100.0",))], small=False, controller="nobody")
    done = work(job)
    assert "no controller 'nobody'" in done["failure"]
    assert "success" not in done


def test_what_is_stored_is_found_again_and_a_torn_line_is_run_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(row("a"))
    store.add(row("b", failure="Traceback"))
    with (tmp_path / LINES).open("ab") as lines:
        lines.write(b'{"key": "c", "scen')
    again = Store(tmp_path)
    assert again.done == {"a"}
    again.add(row("c"))
    assert Store(tmp_path).done == {"a", "c"}
    assert [json.loads(line)["key"] for line in (tmp_path / LINES).read_text().splitlines() if line.endswith("}")] == [
        "a", "b", "c",
    ]  # fmt: skip


def test_lines_of_other_programs_are_passed_over(tmp_path: Path) -> None:
    others = b'\xff\xfe\n[1]\n"x"\n{"no": "key"}\n{"key": [], "failure": ""}\n'
    (tmp_path / LINES).write_bytes(others + json.dumps(row("a")).encode() + b"\n")
    assert Store(tmp_path).done == {"a"}


@pytest.mark.parametrize("seeds", ["1-99999999999999999999999", "9223372036854775808", "\u00b2", "1-", "-3", "1-99999"])
def test_seeds_that_are_none_are_refused(seeds: str) -> None:
    with pytest.raises(click.BadParameter):
        Seeds().convert(seeds, None, None)


def test_the_table_has_one_row_a_run_in_the_order_of_the_grid(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    store = Store(tmp_path)
    for key in ("b", "a", "old"):
        store.add(row(key, **{"set:leaks.0.diameter_mm": key}))
    path = store.write_table(["a", "b"])
    assert path is not None
    table = parquet.read_table(path)
    assert table.column("key").to_pylist() == ["a", "b"]
    assert table.column("set:leaks.0.diameter_mm").to_pylist() == ["a", "b"]


def test_the_summary_has_a_line_a_setting_with_medians_of_what_happened() -> None:
    rows = [
        row("a", **{"set:x": "1"}),
        row("b", **{"set:x": "1"}, error_m=0.03, success=False, false_alarms=2),
        row("c", **{"set:x": "1"}, error_m=None, fixed_s=None),
        {"key": "d", "scenario": "s", "seed": 4, "failure": "boom", "set:x": "2"},
    ]
    first, second = summary(rows)
    assert dict(zip(COLUMNS, first, strict=True)) == {
        "scenario": "s x=1", "runs": "3", "as expected": "2/3", "fix": "2/3", "error": "2 cm", "leak to fix": "10 s",
        "leak to warning": "-", "false": "2",
    }  # fmt: skip
    assert second[:3] == ("s x=2", "1 (1 failed)", "-")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"machines.1.name": "cabin fan"}, "machines: 'cabin fan' is named twice"),
        ({"arrays.resonance_khz": "1e-9"}, "at least 1 kHz"),
        ({"arrays.bits": "8", "arrays.effective_bits": "12.0"}, "effective_bits 12 are more than bits 8"),
        ({"barometers.part": "{ x = 1 }"}, "barometers.part"),
    ],
)
def test_what_a_plant_could_not_be_built_from_is_refused_with_its_key(changes: dict[str, str], told: str) -> None:
    with pytest.raises(DeclaredFileError, match=told):
        jobs([MS09], CONFIGS / "sites", [1], [(k, (v,)) for k, v in changes.items()], small=False, controller="leakctl")


def test_a_worker_that_is_killed_is_told_in_one_line() -> None:
    with pytest.raises(PoolError, match="killed"), local_pool(1) as pool:
        pool.submit(os._exit, 9).result(60.0)


def test_workers_end_with_a_parent_that_is_killed() -> None:
    # Of a pool that is not shut down, as by kill -9: the parent prints its worker's id and is gone.
    program = """if True:
        import os
        from sim.campaign.pool import local_pool
        if __name__ == "__main__":
            with local_pool(1) as pool:
                print(pool.submit(os.getpid).result(), flush=True)
                os._exit(0)
    """
    # Communicating waits for the end of the output, which the worker holds too.
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert not alive(int(said.stdout))


@pytest.mark.parametrize(
    "address", ["nonsense", "tcp://127.0.0.1", "tcp://127.0.0.1:99999999", "http://127.0.0.1:8786"]
)
def test_what_is_no_address_of_a_scheduler_is_refused(address: str) -> None:
    with pytest.raises(ClusterError, match="no address"), cluster_pool(address):
        pass


def test_a_port_that_never_says_anything_is_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(pool_module, "CONNECT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ClusterError, match="no Dask scheduler"), cluster_pool(address):
            pass
