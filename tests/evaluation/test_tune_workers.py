"""The processes that tune hires."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from numpy.typing import ArrayLike

import tiepoint as tp
from tiepoint.evaluation.tune import Change, Trial
from tiepoint.evaluation.tune.workers import Task, crew
from tiepoint.extractors import Extractor
from tiepoint.types import Features, Image, Metric

ENVIRONMENT = Path("/proc/self/environ")  # with which a process was started, whatever it has set since


@dataclass(frozen=True, kw_only=True)
class Telling(Extractor):
    """Tells for how many threads its process was started."""

    name: ClassVar[str] = "telling"
    metric: ClassVar[Metric] = "l2"

    def extract(self, image: Image, mask: ArrayLike | Image | None = None) -> Features:  # noqa: ARG002
        raise tp.DataError(" ".join(one for one in ENVIRONMENT.read_text().split("\0") if "THREADS" in one))


@pytest.mark.skipif(not ENVIRONMENT.exists(), reason="only Linux tells how a process was started")
def test_workers_are_started_for_one_thread(flat: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    before = dict(os.environ)
    trial = Trial(photo=0, megapixels=0.1, change=Change(name="a"))
    tasks = iter([Task(runner=0, extractor=Telling(), ratios=(None,), trials=(trial,))])
    with crew([flat], 1) as hands:
        [report] = hands.carry_out(lambda: next(tasks, None))
    assert report.failure is not None
    started = report.failure.reason.split()
    assert {"OPENCV_FOR_THREADS_NUM=1", "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1"} <= set(started)
    assert dict(os.environ) == before
