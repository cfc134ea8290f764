"""Faults of whole nodes: each acts between its times and nowhere else."""

import numpy as np
import pytest

from firmware_bridge.wire.commands import Siren, SirenPattern
from firmware_bridge.wire.framing import Flags
from firmware_bridge.wire.reports import HelloAck, Status
from sim.faults.schedule import Spells
from sim.plant.plant import Plant
from tests.support.faulty_runs import AGAIN, FROM_S, NODE, UNTIL_S, boots, fault, healthy, late_s, quiet, run, split
from tests.support.scripted_host import play
from tests.support.shipped import shipped


def test_a_node_without_power_is_silent_and_comes_back_as_another_boot() -> None:
    heard = run(fault("node", NODE, "off"), script=AGAIN)
    times = np.array([at_s for at_s, _ in heard.packets(NODE)])
    assert not ((times >= FROM_S) & (times < UNTIL_S)).any()
    assert len(boots(heard)) == 2
    assert heard.counts(NODE)[-1, 0] > 59.0
    cause = {status.reset_cause for _, status in heard.of_kind(NODE, Status)}
    assert cause == {1}


def test_power_that_fails_silences_the_siren_and_the_log_says_so() -> None:
    heard = run(fault("node", "S1", "off"), script=((5.0, "S1", Siren(SirenPattern.WARNING)),))
    log = [(round(at_s), node, pattern) for at_s, node, pattern in heard.plant.siren_log]
    assert log == [(5, "S1", SirenPattern.WARNING), (20, "S1", SirenPattern.SILENT)]
    plant = Plant(*shipped())
    script = ((0.0, "S1", Siren(SirenPattern.WARNING)),)
    assert len(play(quiet(), shipped()[1], script, 1.0).plant.siren_log) == 1
    assert plant.siren_log == []


def test_a_node_that_hangs_says_nothing_and_goes_on_as_the_same_boot() -> None:
    heard = run(fault("node", NODE, "stuck"))
    times = np.array([at_s for at_s, _ in heard.packets(NODE)])
    assert not ((times > FROM_S) & (times < UNTIL_S)).any()
    assert len(boots(heard)) == 1
    assert (times >= UNTIL_S).sum() > 40


def test_a_node_full_of_garbage_starts_anew_at_random_by_its_watchdog() -> None:
    heard = run(fault("node", NODE, "garbage", mean_s=2.0), script=AGAIN)
    assert 3 <= len(boots(heard)) <= 30
    assert {status.reset_cause for at_s, status in heard.of_kind(NODE, Status) if at_s > UNTIL_S} <= {3}


@pytest.mark.parametrize("step_s", [-7.0, 3600.0])
def test_a_clock_that_is_set_wrong_is_flagged_and_set_right_again(step_s: float) -> None:
    faulty = run(fault("node", NODE, "wrong", step_s=step_s)).packets(NODE)
    true = healthy().packets(NODE)
    assert [at_s for at_s, _ in faulty] == [at_s for at_s, _ in true]
    gone_ns = [packet.time_ns - other.time_ns for (_, packet), (_, other) in zip(faulty, true, strict=True)]
    wrong = [FROM_S <= at_s < UNTIL_S for at_s, _ in true]
    # The clock rounds to nanoseconds anew from where it was set.
    assert gone_ns == pytest.approx([round(step_s * 1e9) if is_wrong else 0 for is_wrong in wrong], abs=1)
    flagged = [at_s for at_s, packet in faulty if packet.flags & Flags.TIME_STEP]
    assert flagged == pytest.approx([FROM_S, UNTIL_S], abs=1.1)
    assert len(flagged) == 2


def test_a_node_can_be_swapped_for_a_stranger() -> None:
    heard = run(fault("node", NODE, "wrong", uid="bad1"), script=AGAIN)
    known = shipped()[1].node(NODE).uid
    assert [ack.uid for _, ack in heard.of_kind(NODE, HelloAck)] == [0xBAD1, known]
    heard = run(fault("node", NODE, "wrong", version=3), script=AGAIN)
    assert [ack.max_version for _, ack in heard.of_kind(NODE, HelloAck)] == [3, 1]


@pytest.mark.parametrize("kind", ["slow", "delayed"])
def test_a_slow_node_answers_late(kind: str) -> None:
    during, otherwise = split(late_s(run(fault("node", NODE, kind, delay_s=0.3))))
    assert during[:, 1] == pytest.approx(0.3, abs=1e-6)
    assert otherwise[:, 1] == pytest.approx(0.0, abs=1e-6)
    jittery, _ = split(late_s(run(fault("node", NODE, "slow", delay_s=0.2, jitter_s=0.2))))
    assert (jittery[:, 1] >= 0.2).all()
    assert 0.02 < np.std(jittery[:, 1]) < 0.1  # a uniform draw of 0.2 s has 0.058


def test_an_intermittent_node_comes_and_goes() -> None:
    heard = run(fault("node", NODE, "intermittent", share=0.5, mean_s=2.0), script=AGAIN)
    assert 3 <= len(boots(heard)) <= 15
    before = [packet for at_s, packet in heard.packets(NODE) if at_s < FROM_S]
    assert before == [packet for at_s, packet in healthy().packets(NODE) if at_s < FROM_S]


def test_spells_have_their_share_and_length() -> None:
    spells = Spells(0.0, 1e5, 0.25, 10.0, np.random.default_rng(1))
    off = np.diff(spells.edges_s)[::2]
    assert off.mean() == pytest.approx(10.0, rel=0.1)  # 2,500 spells: 2 % a sigma
    assert off.sum() / 1e5 == pytest.approx(0.25, rel=0.1)
