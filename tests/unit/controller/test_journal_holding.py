"""Two controllers in one journal's folder: the second is told so; a lock outlives nobody."""

import subprocess
import sys
from pathlib import Path

import pytest

from controller.errors import ControllerError
from controller.journal.holding import held

HOLDING = """
import pathlib, sys, time
from controller.journal.holding import held
with held(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60.0)
"""


def test_a_second_controller_is_kept_out_until_the_first_is_gone_however_it_went(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "journal"
    with subprocess.Popen([sys.executable, "-c", HOLDING, str(folder)], stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(ControllerError, match="another controller writes") as refused, held(folder):
            pytest.fail("both are in")
        assert "--journal" in refused.value.remedy
        first.kill()
    with held(folder):
        pass
    with held(folder):
        pass


def test_a_folder_that_cannot_be_made_is_for_the_journal_to_tell(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with held(tmp_path / "file" / "journal"):
        pass
