"""Recordings that people bring: files, folders, tables of microphones, pieces; each refusal says what to do."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import wavfile

from controller.errors import ControllerError
from controller.recordings.captures import captures_of, heard_site
from controller.recordings.files import of_array, read_recording
from controller.recordings.recording import cut, piece_samples
from controller.recordings.rendered import read_rendered
from controller.recordings.table_site import hull_of, joined, outside_notes, read_microphones, table_site, uneven_notes
from firmware_bridge.site.schema import SurveyTable

RATE_HZ = 192_000.0
TABLE = "x_m,y_m,z_m,node\n0.2,0.2,0.2,A\n0.3,0.2,0.2,A\n1.2,0.2,0.5,B\n1.2,0.3,0.5,B\n"


def noise(*shape: int, seed: int = 1) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.random.default_rng(seed).standard_normal(shape)


def stored(folder: Path, **arrays: Any) -> Path:
    path = folder / "it.npz"
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("shape", [(4, 4096), (3, 4, 4096)])
@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16])
def test_npz_of_any_shape_and_kind(tmp_path: Path, shape: tuple[int, ...], kind: type[np.generic]) -> None:
    signals = (1000 * noise(*shape)).astype(kind)
    found = read_recording(stored(tmp_path, signals=signals, fs_hz=RATE_HZ, scale_pa=0.5))
    assert found.signals.shape == (1, *shape)[-3:]
    assert (found.fs_hz, found.channels, found.scale_pa.tolist()) == (RATE_HZ, 4, [0.5] * 4)


def test_samples_by_channels_is_turned_and_told(tmp_path: Path) -> None:
    found = read_recording(stored(tmp_path, signals=noise(4096, 4), fs_hz=RATE_HZ))
    assert found.signals.shape == (1, 4, 4096)
    assert "samples, channels" in found.notes[0]


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"data": noise(4, 4096), "fs_hz": RATE_HZ}, "holds data, fs_hz, but no signals"),
        ({"signals": noise(4, 4096)}, "but no fs_hz"),
        ({"signals": noise(4, 4096), "fs_hz": [1.0, 2.0]}, "fs_hz is not one number"),
        ({"signals": noise(4, 4096), "fs_hz": 192.0}, "sampled at 192 Hz"),
        ({"signals": noise(4, 4096), "fs_hz": 16e3}, "sampled at 16000 Hz"),
        ({"signals": noise(4, 1000), "fs_hz": RATE_HZ}, "1000 samples a channel"),
        ({"signals": noise(4096), "fs_hz": RATE_HZ}, "shape (4096,)"),
        ({"signals": noise(0, 4096), "fs_hz": RATE_HZ}, "shape (1, 0, 4096)"),
        ({"signals": noise(4, 4096) + 0j, "fs_hz": RATE_HZ}, "signals are complex128"),
        ({"signals": noise(4, 4096), "fs_hz": RATE_HZ, "scale_pa": [1.0, 2.0]}, "2 values for 4 channels"),
        ({"signals": noise(4, 4096), "fs_hz": RATE_HZ, "scale_pa": -1.0}, "above zero"),
        ({"signals": np.array([{}], dtype=object), "fs_hz": RATE_HZ}, "no sound NPZ"),
    ],
)
def test_npz_that_is_refused(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    with pytest.raises(ControllerError) as refused:
        read_recording(stored(tmp_path, **arrays))
    assert said in refused.value.what


@pytest.mark.parametrize("name", ["it.npz", "it.wav", "it.flac", "it.mp3", "none.npz"])
def test_files_that_are_something_else(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    (tmp_path / "it").with_suffix(Path(name).suffix).write_bytes(b"RIFF....WAVEfmt ")
    with pytest.raises(ControllerError):
        read_recording(tmp_path / name)


def test_flac_without_its_library_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    (tmp_path / "it.flac").write_bytes(b"fLaC")
    with pytest.raises(ControllerError) as refused:
        read_recording(tmp_path / "it.flac")
    assert "pip install soundfile" in refused.value.remedy


@pytest.mark.parametrize("kind", [np.int16, np.int32, np.float32])
def test_wav_of_each_kind_is_the_same_sound(tmp_path: Path, kind: type[np.generic]) -> None:
    wave = np.clip(0.2 * noise(4096, 3), -1, 1)
    full = np.iinfo(kind).max if issubclass(kind, np.integer) else 1.0
    wavfile.write(tmp_path / "it.wav", int(RATE_HZ), (wave * full).astype(kind))
    found = read_recording(tmp_path / "it.wav")
    assert found.fs_hz == RATE_HZ
    # A count of 16 bits is 3e-5 of full scale; scaling by 32767 and cutting off loses at most that.
    assert found.signals[0].T * found.scale_pa == pytest.approx(wave, abs=4e-5)


@pytest.mark.parametrize(
    ("rate_hz", "samples", "expected"),
    [
        (192e3, 16_384, 16_384),
        (192e3, 2_000_000, 16_384),
        (96e3, 1_000_000, 8192),
        (500e3, 1_000_000, 32_768),
        (48e3, 100_000, 4096),
        (192e3, 2048, 2048),
        (192e3, 5000, 4608),  # whole grains
        (192e3, 40_000, 19_968),  # two halves rather than two pieces and a rest
    ],
)
def test_pieces_are_85_ms_or_what_there_is(rate_hz: float, samples: int, expected: int) -> None:
    recording = of_array("it", np.zeros((2, samples), dtype=np.int16), rate_hz)
    assert piece_samples(recording) == expected


def test_pieces_are_bounded_evenly_spread_and_told() -> None:
    signals = np.repeat(np.arange(1.0, 101.0), 512)[None, :] * np.where(np.arange(51_200) % 2, 1, -1)
    pieces = cut(of_array("it", np.vstack([signals, signals]), RATE_HZ), 512, 10)
    level = np.abs(pieces.pressure_pa).max(axis=(1, 2))
    assert (level / level.max() * 100).round().tolist() == [1, 12, 23, 34, 45, 56, 67, 78, 89, 100]
    assert "10 of 100 pieces" in pieces.notes[0]


def test_nan_is_refused_and_silence_left_out() -> None:
    wave = noise(2, 3, 4096)
    wave[:, 1] = 5.0  # an offset is no sound
    pieces = cut(of_array("it", wave, RATE_HZ), 4096, 9)
    assert pieces.present.tolist() == [[True, False, True]] * 2
    assert pieces.notes == ("it: channels 1 are silent and left out",)
    wave[1, 2, 7] = np.nan
    with pytest.raises(ControllerError, match="channel 2 holds NaN"):
        cut(of_array("it", wave, RATE_HZ), 4096, 9)


def test_clipping_and_poor_rates_are_told() -> None:
    wave = np.clip((15_000 * noise(3, 8192)).round(), -32768, 32767).astype(np.int16)
    wave[0] = 500 * noise(8192, seed=2)
    notes = cut(of_array("it", wave, 48e3), 8192, 9).notes
    assert any("channels 1, 2 clip (" in note for note in notes)
    assert any("at 48000 Hz" in note for note in notes)
    assert not any("clip" in note for note in cut(of_array("it", noise(3, 8192), 96e3), 8192, 9).notes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("a,b,c\n1,2,3", "no column x_m"),
        (TABLE.replace("0.3,0.2", "x,0.2"), "line 3, column x_m: 'x' is not a number"),
        (TABLE.replace("0.3,0.2", ",0.2"), "coordinate is missing"),
        (TABLE.replace("0.3,0.2", "0.2,0.2"), "lines 2 and 3 put two microphones at the same place"),
        (TABLE.replace("0.5,B", "0.5,"), "node is missing"),
        (TABLE.replace("0.3,0.2", "3e6,0.2"), "beyond 1000 m"),
        ("x_m,y_m,z_m\n1,2,3\n2,3,4\n3,4,5", "3 microphones"),
    ],
)
def test_tables_that_are_refused(text: str, said: str) -> None:
    with pytest.raises(ControllerError) as refused:
        read_microphones("mics.csv", text)
    assert said in refused.value.what


def test_tables_with_other_units_and_without_nodes() -> None:
    found = read_microphones("mics.csv", "x_mm;y_mm;z_mm\n200,5;0;0\n0;100;0\n0;0;100\n100;100;100")
    assert found.position_m[0].tolist() == [0.2005, 0.0, 0.0]
    assert found.nodes == ("all",) * 4
    assert uneven_notes(read_microphones("it", "x_m,y_m,z_m,node\n0,0,0,a\n1,0,0,b\n0,1,0,c\n0,0,1,d"))


def test_hulls_by_word() -> None:
    box, tube = hull_of("box:4,3,2"), hull_of("cylinder:1.1,2.6")
    assert [corner.tolist() for corner in box.corners_m] == [[0, 0, 0], [4, 3, 2]]
    assert [corner.tolist() for corner in tube.corners_m] == [[0, -1.1, -1.1], [2.6, 1.1, 1.1]]
    assert hull_of("cylinder:1,2,z@0,0,5").signed_distance_m(np.array([[0.0, 0.0, 6.0]]))[0] == pytest.approx(-1.0)
    for wrong in ("sphere:1", "box:1,2", "box:1,-2,3", "cylinder:1", "box:100,100,100"):
        with pytest.raises(ControllerError):
            hull_of(wrong)


def test_microphones_outside_the_hull() -> None:
    microphones = read_microphones("it", TABLE)
    assert outside_notes(microphones, hull_of("box:1.5,1,1")) == []
    assert "0.100 m outside" in outside_notes(microphones, hull_of("box:1.1,1,1"))[0]
    with pytest.raises(ControllerError, match="channel 2"):
        outside_notes(microphones, hull_of("box:0.5,1,1"))


def test_captures_follow_the_rows_whatever_their_nodes_order() -> None:
    text = "x_m,y_m,z_m,node\n0,0,0,B\n1,0,0,A\n0,1,0,B\n0,0,1,A\n1,1,1,A"
    site = joined(table_site(read_microphones("it", text), hull_of("box:1,1,1"), SurveyTable()), "node")
    wave = noise(5, 4096)
    wave[4] = 0.0
    pieces = cut(of_array("it", wave, RATE_HZ), 4096, 9)
    order = ("m0", "m1", "m2", "m3", "m4")
    known = heard_site(site, order, pieces)
    (capture,) = captures_of(known, order, pieces, first_id=7, one_clock=True, rate_sigma=0.0)
    assert {name: block.sensors for name, block in capture.blocks.items()} == {"B": ("m0", "m2"), "A": ("m1", "m3")}
    assert np.corrcoef(capture.blocks["A"].pressure_pa[1], wave[3])[0, 1] == pytest.approx(1.0)
    assert [node.trigger_line for node in known.nodes] == [None, None]


def _rendered(folder: Path, *, every_s: float | None = 1.0) -> dict[str, Any]:
    """A folder of two nodes, B without its second burst, and a contact sensor that is no microphone."""
    nodes = []
    for name, bursts in (("A", (0, 1)), ("B", (0,))):
        told = []
        for index in bursts:
            file = f"{name}-{index:04d}.wav"
            level = 100 * (1 + index) * (1 if name == "A" else 3)
            wavfile.write(folder / file, int(RATE_HZ), (level * noise(4096, 3)).clip(-32000, 32000).astype(np.int16))
            told.append({"file": file, "start_s": float(index), "samples": 4096})
        kinds = ("ultrasound", "surface_velocity", "ultrasound")
        channels = [{"channel": k, "sensor": f"{name}{k}", "quantity": q, "scale": 2e-3} for k, q in enumerate(kinds)]
        nodes.append({"name": name, "rate_hz": RATE_HZ, "channels": channels, "recordings": told})
    return {"air": {"temperature_k": 290.0}, "span": {"every_s": every_s}, "nodes": nodes}


def test_a_rendered_folder(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text(json.dumps(_rendered(tmp_path)))
    found = read_rendered(tmp_path)
    assert found.sensors == ("A0", "A2", "B0", "B2")
    assert found.temperature_k == 290.0
    assert found.present.tolist() == [[True] * 4, [True, True, False, False]]
    assert found.one_clock
    # Counts of B are three times those of A, those of the second burst twice those of the first.
    rms = np.sqrt(np.mean(found.signals.astype(float) ** 2, axis=2))
    assert rms[:, 0] == pytest.approx([100.0, 200.0], rel=0.05)
    assert rms[0, 2] == pytest.approx(300.0, rel=0.05)
    assert found.scale_pa == pytest.approx([2e-3] * 4)


def test_one_piece_leaves_nodes_to_themselves(tmp_path: Path) -> None:
    truth = _rendered(tmp_path, every_s=None)
    truth["nodes"][0]["recordings"] = truth["nodes"][0]["recordings"][:1]
    truth["nodes"][1]["recordings"][0]["start_s"] = 1e-6
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    found = read_rendered(tmp_path)
    assert not found.one_clock
    assert found.present.all()
    assert "nodes drift apart" in found.notes[0]


@pytest.mark.parametrize("text", ["{}", "[]", "no", '{"nodes": []}'])
def test_folders_of_something_else(tmp_path: Path, text: str) -> None:
    (tmp_path / "truth.json").write_text(text)
    with pytest.raises(ControllerError):
        read_rendered(tmp_path)
    with pytest.raises(ControllerError, match="leaksim render"):
        read_rendered(tmp_path / "none")
