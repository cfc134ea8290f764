"""leakctl locate: fixes in boxes that a stranger made up, the JSON, exit statuses, what is refused."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner, Result
from scipy.io import wavfile

from controller.cli.main import main as leakctl
from sim.cli.main import main as leaksim
from tests.support.box_room import HULL, RATE_HZ, SAMPLES, TEMPERATURE_C, Files, microphones, record

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "locate.schema.json").read_text(encoding="utf-8"))
LEAKS = ((0.7, 0.0, 1.3), (2.2, 1.1, 0.6), (1.3, 0.9, 2.6))  # one on each of three walls


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(leakctl, ["locate", *map(str, arguments)])


def told(files: Files, *arguments: str, hull: str = HULL) -> dict[str, Any]:
    baseline = ("--baseline", str(files.baseline)) if files.baseline else ()
    shown = invoke(files.recording, "--mics", files.table, "--hull", hull, "--json", *baseline, *arguments)
    assert shown.exit_code in {0, 3}, shown.output
    answer: dict[str, Any] = json.loads(shown.stdout)
    jsonschema.validate(answer, SCHEMA)
    assert (shown.exit_code == 0) == (answer["status"] == "fix") == bool(answer["leaks"])
    return answer


def off_m(answer: dict[str, Any], at: tuple[float, ...], leak: int = 0) -> float:
    assert answer["leaks"], answer
    return float(np.linalg.norm(np.subtract(answer["leaks"][leak]["position_m"], at)))


@pytest.mark.parametrize(("seed", "snr_db", "bursts"), [(0, 0.0, 1), (1, 0.0, 1), (1, -10.0, 2), (2, -18.0, 10)])
def test_leaks_are_found_without_a_word_on_the_survey(tmp_path: Path, seed: int, snr_db: float, bursts: int) -> None:
    files = record(tmp_path, np.random.default_rng(seed), [LEAKS[seed]], snr_db=snr_db, bursts=bursts)
    answer = told(files)
    assert off_m(answer, LEAKS[seed]) < 0.01  # two fine cells; nothing but noise is wrong here
    leak = answer["leaks"][0]
    assert leak["probability"] > 0.9
    assert leak["radius95_m"] < 0.05
    assert leak["candidates"][0]["probability"] == max(one["probability"] for one in leak["candidates"])


@pytest.mark.parametrize("seed", [0, 1])
def test_a_poor_survey_and_bad_clocks_are_found_out_by_trial(tmp_path: Path, seed: int) -> None:
    draw = np.random.default_rng(seed)
    files = record(tmp_path, draw, [LEAKS[seed]], snr_db=10.0, survey_sigma_m=0.005, clock_sigma_s=1e-5)
    # Temperature 1.7 K wrong: the speed of sound is by 0.3 %.
    answer = told(files, "--temperature", str(TEMPERATURE_C + 1.7))
    assert off_m(answer, LEAKS[seed]) < 0.05
    assert answer["leaks"][0]["radius95_m"] > 0.005


def test_a_valve_louder_than_the_leak_is_no_leak(tmp_path: Path) -> None:
    valve = (0.4, 2.1, 1.0)
    files = record(
        tmp_path, np.random.default_rng(5), [LEAKS[0]], snr_db=0.0, bursts=8, machine_m=valve, machine_db=8.0
    )
    assert off_m(told(files), LEAKS[0]) < 0.02
    without = Files(files.recording, files.table)
    assert off_m(told(without), valve) < 0.02


def test_nodes_that_share_no_clock(tmp_path: Path) -> None:
    files = record(tmp_path, np.random.default_rng(6), [LEAKS[1]], snr_db=20.0, bursts=2, clock_sigma_s=1.0e-3)
    assert off_m(told(files, "--coherent", "node"), LEAKS[1]) < 0.10  # four bearings by 10 cm wide arrays


def test_two_leaks_one_after_the_other(tmp_path: Path) -> None:
    files = record(tmp_path, np.random.default_rng(7), LEAKS[:2], snr_db=5.0, bursts=2)
    answer = told(files, "--leaks", "2")
    assert len(answer["leaks"]) == 2
    found = sorted(answer["leaks"], key=lambda leak: leak["position_m"][0])
    for leak, at in zip(found, LEAKS, strict=False):
        assert leak["position_m"] == pytest.approx(at, abs=0.02)
        assert leak["probability"] > 0.9  # the other is no rival
    assert told(files)["reason"] == "ambiguous"  # which of two that are equally loud is meant?


def test_without_a_hull_the_space_around_the_microphones_is_searched(tmp_path: Path) -> None:
    files = record(tmp_path, np.random.default_rng(8), [(0.7, 0.4, 1.3)], snr_db=0.0, bursts=2)
    assert off_m(told(files, hull="none"), (0.7, 0.4, 1.3)) < 0.02


def test_a_table_in_another_order_and_without_nodes(tmp_path: Path) -> None:
    files = record(tmp_path, np.random.default_rng(9), [LEAKS[2]], snr_db=0.0)
    header, *rows = files.table.read_text().splitlines()
    order = np.random.default_rng(1).permutation(len(rows))
    files.table.write_text("\n".join([header, *(rows[at] for at in order)]))
    with np.load(files.recording) as stored:
        signals = stored["signals"][:, order]
    np.savez(files.recording, signals=signals, fs_hz=RATE_HZ)
    assert off_m(told(files), LEAKS[2]) < 0.01
    bare = [line.rsplit(",", 1)[0] for line in files.table.read_text().splitlines()]
    files.table.write_text("\n".join(bare))
    assert off_m(told(files), LEAKS[2]) < 0.01


def test_wav_with_a_dead_channel_and_the_picture(tmp_path: Path) -> None:
    files = record(tmp_path, np.random.default_rng(10), [LEAKS[0]], snr_db=0.0)
    with np.load(files.recording) as stored:
        signals = stored["signals"][0]
    signals[3] = 0.0
    counts = np.round(signals.T / np.abs(signals).max() * 2000).astype(np.int16)
    wavfile.write(tmp_path / "leak.wav", int(RATE_HZ), counts)
    picture = tmp_path / "hull.png"
    answer = told(Files(tmp_path / "leak.wav", files.table), "--plot", str(picture))
    assert off_m(answer, LEAKS[0]) < 0.01
    assert any("channels 3 are silent" in note for note in answer["warnings"])
    assert picture.read_bytes()[:4] == b"\x89PNG"


def test_a_site_file_says_where_the_channels_are(tmp_path: Path) -> None:
    files = record(tmp_path, np.random.default_rng(14), [LEAKS[1]], snr_db=0.0)
    rows = [line.split(",") for line in files.table.read_text().splitlines()[1:]]
    lines = ["format = 1", 'name = "box"', "[[compartments]]", 'name = "room"', "volume_m3 = 12.0"]
    lines += ["[compartments.hull]", 'shape = "box"', "size_m = [2.2, 2.1, 2.6]"]
    for number, node in enumerate("ABCD", start=1):
        lines += ["[[nodes]]", f'name = "{node}"', f'uid = "{number}"', 'compartment = "room"', 'trigger_line = "wire"']
        for channel, (x, y, z, _) in enumerate(row for row in rows if row[3] == node):
            lines += ["[[nodes.sensors]]", f'name = "{node}{channel}"', 'quantity = "ultrasound"']
            lines += [f"channel = {channel}", f"position_m = [{x}, {y}, {z}]"]
    (tmp_path / "site.toml").write_text("\n".join(lines) + "\n")
    shown = invoke(files.recording, "--site", tmp_path / "site.toml", "--json")
    assert shown.exit_code == 0, shown.output
    assert off_m(json.loads(shown.stdout), LEAKS[1]) < 0.01
    lost = invoke(files.recording, "--site", tmp_path / "site.toml", "--compartment", "hall")
    assert lost.exit_code == 2
    assert "microphones in room" in lost.stderr


def test_a_folder_that_the_simulator_rendered(tmp_path: Path) -> None:
    asked = ["render", "bench-box", "--out", str(tmp_path / "it"), "--for", "4", "--every", "1"]
    made = CliRunner().invoke(leaksim, asked)
    assert made.exit_code == 0, made.output
    shown = invoke(tmp_path / "it", "--json")
    assert shown.exit_code == 0, shown.output
    answer = json.loads(shown.stdout)
    leak = json.loads((tmp_path / "it" / "truth.json").read_text())["leaks"][0]
    assert off_m(answer, leak["position_m"]) < 0.05  # what the scenario itself expects
    assert answer["warnings"] == []


def test_noise_has_no_fix_and_a_sentence_for_people(tmp_path: Path) -> None:
    files = record(tmp_path, np.random.default_rng(11), [], snr_db=0.0)
    answer = told(files)
    assert answer["reason"] == "too_quiet"
    shown = invoke(files.recording, "--mics", files.table, "--hull", HULL)
    assert shown.exit_code == 3
    assert "no fix: " in shown.output


def test_a_sentence_for_a_fix(tmp_path: Path) -> None:
    files = record(tmp_path, np.random.default_rng(12), [LEAKS[0]], snr_db=0.0)
    shown = invoke(files.recording, "--mics", files.table, "--hull", HULL)
    assert shown.exit_code == 0
    assert "leak 1: (0.70" in shown.output
    assert "20 °C is tried first" in shown.stderr


def _silence(folder: Path) -> Files:
    files = record(folder, np.random.default_rng(13), [], snr_db=0.0)
    np.savez(files.recording, signals=np.zeros((16, SAMPLES)), fs_hz=RATE_HZ)
    return files


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give --site, or --mics and --hull"),
        (("--mics", "mics.csv"), "needs --hull"),
        (("--mics", "mics.csv", "--site", "site.toml"), "give one of them"),
        (("--mics", "mics.csv", "--hull", "box:1,2"), "three lengths"),
        (("--mics", "mics.csv", "--hull", "pyramid:3"), "neither box"),
        (("--mics", "mics.csv", "--hull", "box:1,1,1"), "outside the hull"),
        (("--mics", "none.csv", "--hull", HULL), "cannot be read"),
        (("--mics", "few.csv", "--hull", HULL), "16 channels, but there are 15 microphones"),
        (("--mics", "mics.csv", "--hull", HULL, "--baseline", "other.npz"), "same microphones and rate"),
        (("--site", "none.toml"), "none.toml"),
    ],
)
def test_what_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    record(tmp_path, np.random.default_rng(13), [], snr_db=0.0)
    places = microphones(np.random.default_rng(13))[:15]
    (tmp_path / "few.csv").write_text("\n".join(["x_m,y_m,z_m", *(",".join(f"{v}" for v in at) for at in places)]))
    np.savez(tmp_path / "other.npz", signals=np.ones((16, SAMPLES)), fs_hz=96e3)
    monkeypatch.chdir(tmp_path)
    shown = invoke("leak.npz", *arguments)
    assert shown.exit_code == 2, shown.output
    assert said in shown.stderr


def test_silence_is_refused(tmp_path: Path) -> None:
    files = _silence(tmp_path)
    shown = invoke(files.recording, "--mics", files.table, "--hull", HULL)
    assert shown.exit_code == 2
    assert "all channels are silent" in shown.stderr
