"""What one coherent group has heard of a sound, gathered from captures: background taken out, spectra accumulated."""

from collections.abc import Sequence

import numpy as np

from controller.measure.background import Background, learn
from controller.measure.captures import Capture
from controller.measure.coherence import CoherentGroup
from controller.measure.correlation import Correlations, correlate, subtracted
from controller.measure.cross_spectra import CrossAccumulator
from controller.measure.spectra import BurstSpectra, Layout, burst_spectra

AUDIBLE_SIGMAS = 7.0  # ten thousand lags reach 4.5 by chance
AUDIBLE_PAIRS = 3
FORGETTING = 0.97  # of the spectra a burst: a leak that grows or moves is followed within some thirty bursts


class GroupHearing:
    """One group's background and spectra."""

    def __init__(self, group: CoherentGroup, *, steady: bool = False) -> None:
        """Start with neither; of a `steady` sound no burst is forgotten."""
        self._group = group
        self._forgetting = 1.0 if steady else FORGETTING
        self._quiet: tuple[Capture, ...] = ()
        self._background: Background | None = None
        self._before: Correlations | None = None
        self._rest: Correlations | None = None
        self._layout: Layout | None = None
        self._accumulator: CrossAccumulator | None = None

    def take(self, captures: Sequence[Capture], quiet: tuple[Capture, ...]) -> None:
        """Gather `captures`, that came since the last call; `quiet` ones hold what is no leak."""
        for capture in captures:
            spectra = burst_spectra(self._group, capture, self._layout)
            if spectra is None:
                continue
            if self._layout is None:
                self._layout = spectra.layout
            self._learn(quiet, spectra.layout)
            if self._accumulator is None:
                self._accumulator = CrossAccumulator(self._group, spectra.layout, self._forgetting)
            self._accumulator.add(spectra, self._background)

    def correlations(self, *, subtract: bool) -> Correlations | None:
        """Correlation functions of what was gathered; None before the first burst.

        With `subtract`, less what the quiet captures hold after strong machines were taken out of them.
        """
        mean = None if self._accumulator is None else self._accumulator.mean()
        if mean is None:
            return None
        now = correlate(mean)
        return subtracted(now, self._rest) if subtract and self._rest is not None else now

    @property
    def before(self) -> Correlations | None:
        """Correlation functions of the quiet captures, with the machines in them; None where there were none."""
        return self._before

    def _learn(self, quiet: tuple[Capture, ...], layout: Layout) -> None:
        """Learn the background anew where the quiet bursts are others than last time."""
        if len(quiet) == len(self._quiet) and all(a is b for a, b in zip(quiet, self._quiet, strict=True)):
            return
        self._quiet = quiet
        heard = [found for capture in quiet if (found := burst_spectra(self._group, capture, layout)) is not None]
        self._before = self._mean(heard, layout, None)
        self._background = learn(heard, audible=self._before is not None and _audible(self._before))
        self._rest = self._mean(heard, layout, self._background)

    def _mean(
        self, heard: Sequence[BurstSpectra], layout: Layout, background: Background | None
    ) -> Correlations | None:
        accumulator = CrossAccumulator(self._group, layout)
        for spectra in heard:
            accumulator.add(spectra, background)
        mean = accumulator.mean()
        return None if mean is None else correlate(mean)


def _audible(before: Correlations) -> bool:
    """Whether some pairs hear the same sound."""
    return int(np.sum(np.abs(before.value).max(axis=1) > AUDIBLE_SIGMAS)) >= AUDIBLE_PAIRS
