"""Random damage through deframer, codec and a whole node, built with the address and undefined-behaviour sanitizers."""

import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.support.firmware import ROOT, built


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    vectors = tomllib.loads((ROOT / "tests" / "vectors" / "wire-v1.toml").read_text(encoding="utf-8"))["vector"]
    path = tmp_path / "corpus"
    path.write_bytes(b"".join(bytes.fromhex(vector["frame"]) for vector in vectors))
    return path


def fuzz(corpus: Path, megabytes: int, seed: int) -> None:
    command = [str(built("checks") / "fuzz"), str(megabytes), str(seed), str(corpus)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answered = int(done.stdout.split(", ")[2].split()[0])  # bytes, the third number that it tells
    assert answered > megabytes * 500_000  # else hardly a command got through to the node


@pytest.mark.parametrize("seed", [1, 2])
def test_damage_finds_nothing(corpus: Path, seed: int) -> None:
    fuzz(corpus, 5, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3, 4, 5, 6])
def test_much_damage_finds_nothing(corpus: Path, seed: int) -> None:
    fuzz(corpus, 100, seed)


def test_the_fuzzer_can_fail(corpus: Path) -> None:
    empty = corpus.with_name("empty")
    empty.touch()
    done = subprocess.run([str(built("checks") / "fuzz"), "1", "1", str(empty)], capture_output=True, text=True)
    assert done.returncode == 2
