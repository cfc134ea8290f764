"""leaksim render: what it writes is what the plant renders, the same each time, and it refuses in time."""

import csv
import errno
import json
import math
import re
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from scipy.io import wavfile

from firmware_bridge.units import NS_PER_S
from sim import whole_files as folders
from sim.cli.main import main as leaksim
from sim.plant.opened_plant import OpenedPlant
from sim.recordings.sample_clock import PIECE_SAMPLES, SampleClock
from sim.recordings.wave_files import WavFile
from sim.scenario.scenario import load_scenario
from tests.support.shipped import CONFIGS

SHIPPED = (CONFIGS / "scenarios" / "ms09-2018.toml").read_text(encoding="utf-8")
RATE_HZ = 192_000
SHORT = ("--samples", "512")
OFF = '\n[[faults]]\nnode = "A"\nkind = "off"\nfrom_s = 1.05\nuntil_s = 1.10\n'


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """The shipped scenario, but short, with one array node and one barometer, its leak open from 1 s on."""
    text = SHIPPED.replace("opens_at_s = 90.0", "opens_at_s = 1.0").replace("duration_s = 540.0", "duration_s = 20.0")
    text = re.sub(r'^[BCDS]\d? = "\w+"\n|^P2 = "mqtt"\n', "", text, flags=re.MULTILINE)
    path = tmp_path / "short.toml"
    path.write_text(text, encoding="utf-8")
    return path


def render(scenario: Path, out: Path, *arguments: str) -> Result:
    return CliRunner().invoke(leaksim, ["render", str(scenario), "--out", str(out), *arguments])


def rendered(scenario: Path, out: Path, *arguments: str) -> dict[str, Any]:
    shown = render(scenario, out, *arguments)
    assert shown.exit_code == 0, shown.output
    truth: dict[str, Any] = json.loads((out / "truth.json").read_text(encoding="utf-8"))
    assert sorted(truth["files"]) == sorted(path.name for path in out.iterdir())
    return truth


def counts_of(path: Path) -> NDArray[np.int16]:
    rate_hz, counts = wavfile.read(path)
    assert rate_hz == RATE_HZ
    assert counts.dtype == np.int16
    return np.asarray(counts.T)


def slow_rows(out: Path) -> list[dict[str, str]]:
    with (out / "slow.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_bursts_as_the_plant_renders_them(scenario: Path, tmp_path: Path) -> None:
    bursts = ("--from", "1.5", "--for", "0.6", "--every", "0.25", *SHORT)
    truth = rendered(scenario, tmp_path / "out", *bursts, "--seed", "7")
    (node,) = truth["nodes"]
    assert [told["file"] for told in node["recordings"]] == ["A-0000.wav", "A-0001.wav", "A-0002.wav"]
    assert [told["start_s"] for told in node["recordings"]] == [1.5, 1.75, 2.0]
    table, site = load_scenario(scenario, CONFIGS / "sites")
    plant = OpenedPlant(table, site, 7)
    loudest = 0.0
    for told in node["recordings"]:
        start_ns = round(told["start_s"] * NS_PER_S)
        expected, saturated = plant.burst("A", start_ns, 512, start_ns // 1_000_000, triggered=True)
        np.testing.assert_array_equal(counts_of(tmp_path / "out" / told["file"]), expected)
        assert told["saturated"] is saturated
        loudest = max(loudest, float(np.std(expected)))
    assert loudest > 3.0  # counts: the leak is heard, not rounding


def test_what_the_truth_says(scenario: Path, tmp_path: Path) -> None:
    truth = rendered(scenario, tmp_path / "out", "--from", "2", "--for", "1", "--every", "1", *SHORT)
    (leak,), (node,) = truth["leaks"], truth["nodes"]
    assert leak["diameter_m"] == pytest.approx(2e-3)
    assert leak["open_s"] == [[1.0, None]]
    assert leak["drawn_level_db"] != pytest.approx(leak["level_db"], abs=1e-3)  # the scenario spreads it by 3 dB
    assert truth["air"]["sound_speed_m_s"] == pytest.approx(math.sqrt(1.4 * 287.05 * 295.15))
    assert truth["seed"] == 1
    assert node["rate_hz"] == RATE_HZ
    surveyed = np.array([channel["surveyed_position_m"] for channel in node["channels"]])
    true = np.array([channel["true_position_m"] for channel in node["channels"]])
    assert 0.0 < np.abs(true - surveyed).max() < 5 * 0.002  # the scenario's survey error is 2 mm
    assert {channel["scale"] for channel in node["channels"]} == {20.0 / 2**13}
    (told,) = node["recordings"]
    # A straight clock: what it read at zero, and the time since then as it counts it; both are rounded to 1 ns.
    since_ns = told["start_s"] * NS_PER_S * (1.0 + told["rate_error"])
    assert told["node_clock_ns"] - node["clock"]["at_zero_ns"] == pytest.approx(since_ns, abs=2)
    assert (tmp_path / "out" / "scenario.toml").read_bytes() == scenario.read_bytes()
    site = CONFIGS / "sites" / "soyuz-orbital-module.toml"
    assert (tmp_path / "out" / "site.toml").read_bytes() == site.read_bytes()


def test_by_default_the_first_minute_of_the_leak(scenario: Path, tmp_path: Path) -> None:
    truth = rendered(scenario, tmp_path / "out", "--format", "npz", *SHORT)
    assert truth["span"] == {"from_s": 1.0, "for_s": 19.0, "every_s": 1.0}  # to the scenario's end
    with ZipFile(tmp_path / "out" / "A.npz") as archive:  # when it was written would make the bytes differ
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    with np.load(tmp_path / "out" / "A.npz") as arrays:
        assert arrays["counts"].shape == (19, 4, 512)
        np.testing.assert_array_equal(arrays["start_s"], 1.0 + np.arange(19.0))
        assert arrays["present"].all()
        assert int(arrays["rate_hz"]) == RATE_HZ
        np.testing.assert_array_equal(arrays["scale"], np.full(4, 20.0 / 2**13))
        np.testing.assert_array_equal(arrays["positions_m"][0], [0.335, 0.715, 0.515])


@pytest.mark.parametrize("layout", ["wav", "npz"])
@pytest.mark.parametrize("when", [("--for", "0.1"), ("--every", "0.5", "--for", "1")])
def test_same_seed_same_bytes(scenario: Path, tmp_path: Path, layout: str, when: tuple[str, ...]) -> None:
    folders = [tmp_path / name for name in ("one", "other", "unlike")]
    for folder, seed in zip(folders, ("3", "3", "4"), strict=True):
        rendered(scenario, folder, "--format", layout, *when, *SHORT, "--seed", seed)
    one, other, unlike = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
    assert one == other
    differing = {name for name in one if one[name] != unlike[name]}
    assert differing == one.keys() - {"scenario.toml", "site.toml"}


def test_both_formats_hold_the_same_counts(scenario: Path, tmp_path: Path) -> None:
    piece = ("--from", "1.9", "--for", "0.4")
    rendered(scenario, tmp_path / "wav", *piece)
    rendered(scenario, tmp_path / "npz", *piece, "--format", "npz")
    counts = counts_of(tmp_path / "wav" / "A.wav")
    assert counts.shape == (4, round(0.4 * RATE_HZ))
    with np.load(tmp_path / "npz" / "A.npz") as arrays:
        np.testing.assert_array_equal(arrays["counts"], counts[None])
        truth = json.loads((tmp_path / "npz" / "truth.json").read_text())
        assert arrays["start_s"][0] == truth["nodes"][0]["recordings"][0]["start_s"]


def test_pieces_that_overlap_agree(scenario: Path, tmp_path: Path) -> None:
    starts, counts, rate_error = [], [], 0.0
    for name, from_s in (("early", "1.2"), ("late", "1.437")):
        truth = rendered(scenario, tmp_path / name, "--from", from_s, "--for", "0.5")
        (told,) = truth["nodes"][0]["recordings"]
        assert 0.0 <= told["start_s"] - float(from_s) < 1.0 / RATE_HZ
        starts.append(told["start_s"])
        rate_error = told["rate_error"]
        counts.append(counts_of(tmp_path / name / "A.wav"))
    apart = (starts[1] - starts[0]) * RATE_HZ * (1.0 + rate_error)
    assert apart == pytest.approx(round(apart), abs=1e-6)
    np.testing.assert_array_equal(counts[0][:, round(apart) :], counts[1][:, : counts[0].shape[1] - round(apart)])


def test_a_piece_is_the_field_without_seams(scenario: Path, tmp_path: Path) -> None:
    # Against the sound itself, taken in one go. Without self-noise what is left is rounding (half a count), the
    # noise of 0.04 counts, and the start of a part rounded to 1 ns (0.02 Pa x 2 pi 50 kHz x 0.5 ns = 0.05 counts).
    text = scenario.read_text().replace("self_noise_db = 37.0", "self_noise_db = -20.0")
    scenario.write_text(text.replace("bits = 14", "bits = 16").replace("full_scale_pa = 20.0", "full_scale_pa = 2.0"))
    truth = rendered(scenario, tmp_path / "out", "--from", "1.9", "--for", "0.6")
    counts = counts_of(tmp_path / "out" / "A.wav")
    assert counts.shape[1] > 3 * PIECE_SAMPLES
    (node,) = truth["nodes"]
    (told,) = node["recordings"]
    table, site = load_scenario(scenario, CONFIGS / "sites")
    sound = OpenedPlant(table, site, 1).sound
    heard = sound.capture("A", told["start_s"], counts.shape[1], told["rate_error"])
    gain = np.array([[channel["true_gain"] / channel["scale"]] for channel in node["channels"]])
    assert np.std(counts) > 100.0
    assert np.abs(counts - heard * gain).max() < 1.0


def test_a_node_that_is_off_records_nothing(scenario: Path, tmp_path: Path) -> None:
    scenario.write_text(scenario.read_text() + OFF)
    truth = rendered(scenario, tmp_path / "piece", "--from", "1", "--for", "0.2")
    (node,) = truth["nodes"]
    assert node["gaps_s"] == [[1.05, 1.1]]
    counts = counts_of(tmp_path / "piece" / "A.wav")
    rate_hz = RATE_HZ * (1.0 + node["recordings"][0]["rate_error"])
    times_s = node["recordings"][0]["start_s"] + np.arange(counts.shape[1]) / rate_hz
    dark = (times_s >= 1.05) & (times_s < 1.1)
    assert not counts[:, dark].any()
    assert np.mean(counts[:, ~dark] == 0) < 0.2
    truth = rendered(scenario, tmp_path / "bursts", "--from", "1", "--for", "0.2", "--every", "0.04", *SHORT)
    (node,) = truth["nodes"]
    assert node["missing_s"] == [1.08]
    assert [told["start_s"] for told in node["recordings"]] == [1.0, 1.04, 1.12, 1.16]


def test_slow_readings(scenario: Path, tmp_path: Path) -> None:
    for name, from_s, for_s in (("early", "0", "3"), ("late", "2", "4")):
        rendered(scenario, tmp_path / name, "--from", from_s, "--for", for_s, "--every", "1", *SHORT)
    early, late = slow_rows(tmp_path / "early"), slow_rows(tmp_path / "late")
    assert list(early[0]) == ["time_s", "node", "sensor", "quantity", "value", "unit"]
    assert {row["node"] for row in early} == {"P1"}  # the other barometer is not plugged in
    assert [float(row["time_s"]) for row in early[::2]] == [0.0, 1.0, 2.0, 3.0]
    assert [row for row in early if float(row["time_s"]) >= 2.0] == late[:4]
    pressure_pa = [float(row["value"]) for row in early if row["quantity"] == "pressure"]
    assert pressure_pa == pytest.approx([99_330.0] * 4, abs=5 * 40.0)  # biases spread by 40 Pa
    assert {row["unit"] for row in early} == {"Pa", "K"}


def test_a_clock_whose_rate_moves_leaves_no_gap() -> None:
    clock = SampleClock(192_000.0, 20e-6)
    ends_s = [clock.start_s(60)]
    clock.follow(10.0, 25e-6)
    piece = clock.piece_from(10.0)
    assert piece == 59  # the 60th part of 170.66 ms begins after 10 s
    ends_s.append(clock.start_s(60))
    # From there on parts are shorter by 5 ppm of 171 ms; the 59th begins where it did.
    assert clock.start_s(59) == pytest.approx(59 * PIECE_SAMPLES / (192_000.0 * (1.0 + 20e-6)), abs=1e-12)
    assert ends_s[0] - ends_s[1] == pytest.approx(5e-6 * PIECE_SAMPLES / 192_000.0, rel=1e-3)


def test_a_crystal_that_wanders_is_followed(scenario: Path, tmp_path: Path) -> None:
    text = scenario.read_text().replace("drift_spread_ppm = 15.0", "drift_spread_ppm = 15.0\nwander_ppm_rtday = 10.0")
    scenario.write_text(text)
    truth = rendered(scenario, tmp_path / "early", "--from", "9.7", "--for", "0.6")
    (told,) = truth["nodes"][0]["recordings"]
    ((changed, error),) = told["rate_changes"]
    assert error != told["rate_error"]
    changed_s = told["start_s"] + changed / (RATE_HZ * (1.0 + told["rate_error"]))
    assert 10.0 <= changed_s < 10.0 + PIECE_SAMPLES / RATE_HZ  # rates move every 10 s, from the next part on
    late = rendered(scenario, tmp_path / "late", "--from", "10.2", "--for", "0.1")
    (told,) = late["nodes"][0]["recordings"]
    assert told["rate_error"] == error
    apart = changed + (told["start_s"] - changed_s) * RATE_HZ * (1.0 + error)
    assert apart == pytest.approx(round(apart), abs=1e-6)
    early_counts, late_counts = counts_of(tmp_path / "early" / "A.wav"), counts_of(tmp_path / "late" / "A.wav")
    same = early_counts[:, round(apart) :]
    np.testing.assert_array_equal(same, late_counts[:, : same.shape[1]])


def test_a_scenario_without_fast_nodes(scenario: Path, tmp_path: Path) -> None:
    scenario.write_text(scenario.read_text().replace('A = "serial"\n', ""))
    shown = render(scenario, tmp_path / "out", "--for", "2", "--json")
    assert shown.exit_code == 0, shown.output
    assert "only slow.csv" in shown.stderr
    told = json.loads(shown.stdout)
    assert told["files"] == ["scenario.toml", "site.toml", "slow.csv", "truth.json"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--from", "30"), "not within the scenario's 20 s"),
        (("--from", "15", "--for", "10"), "shorten it with --for"),
        (("--every", "0.002"), "overlap"),
        (("--every", "0"), "not in the range"),
        (("--from", "nan"), "nan is no time"),
        (("--seed", "-1"), "not in the range"),
    ],
)
def test_refuses_with_a_reason(scenario: Path, tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    shown = render(scenario, tmp_path / "out", *arguments)
    assert shown.exit_code == 2
    assert told in shown.stderr
    assert not (tmp_path / "out").exists()


def test_refuses_a_wav_beyond_its_sizes(scenario: Path, tmp_path: Path) -> None:
    scenario.write_text(scenario.read_text().replace("duration_s = 20.0", "duration_s = 9000.0"))
    # 4 channels of 2 bytes at 192 kHz are 1.536 MB a second: 4.29 GB after 2796 s
    shown = render(scenario, tmp_path / "out", "--for", "2800")
    assert shown.exit_code == 2
    assert "more than the 4 GB" in shown.stderr
    assert "--format npz" in shown.stderr


def test_refuses_what_the_disk_does_not_hold(scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "free_bytes", lambda _path: 1000)
    shown = render(scenario, tmp_path / "out")
    assert shown.exit_code == 2
    assert "do not fit into the 1 kB" in shown.stderr
    assert not (tmp_path / "out").exists()


def test_replaces_a_recording_and_nothing_else(scenario: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    bursts = ("--for", "0.2", "--every", "0.1", *SHORT)
    rendered(scenario, out, *bursts)
    refused = render(scenario, out, *bursts)
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    rendered(scenario, out, "--for", "0.1", "--force")
    assert not (out / "A-0000.wav").exists()
    (out / "thesis.txt").write_text("mine")
    refused = render(scenario, out, *bursts, "--force")
    assert refused.exit_code == 2
    assert "thesis.txt" in refused.stderr
    assert (out / "A.wav").exists()
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("mine")
    refused = render(scenario, other, "--force")
    assert "no recording of leaksim" in refused.stderr
    assert [path.name for path in other.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("failure", "status", "told"),
    [(OSError(errno.ENOSPC, "No space left on device"), 2, "free the disk"), (KeyboardInterrupt(), 130, "interrupted")],
)
def test_a_failure_leaves_nothing(
    scenario: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: BaseException,
    status: int,
    told: str,
) -> None:
    added = []

    def add(self: WavFile, counts: NDArray[np.int16]) -> None:
        added.append(counts)
        if len(added) == 2:
            raise failure

    monkeypatch.setattr(WavFile, "add", add)
    shown = render(scenario, tmp_path / "out", "--for", "1")
    assert shown.exit_code == status
    assert told in shown.stderr
    assert [path.name for path in tmp_path.iterdir()] == [scenario.name]
