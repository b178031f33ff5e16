"""Extractors and matchers side by side on a data set: measured, resumed, summed up, shown."""

from tiepoint.evaluation.bench.compare import Comparison, Difference, compared
from tiepoint.evaluation.bench.contenders import Contender, contenders
from tiepoint.evaluation.bench.journal import Journal
from tiepoint.evaluation.bench.measure import (
    Extracted,
    Protocol,
    Record,
    measure,
    measure_features,
    timed_features,
)
from tiepoint.evaluation.bench.reduce import reduced, truth_reduced
from tiepoint.evaluation.bench.run import run_bench
from tiepoint.evaluation.bench.summary import Figure, Row, summed_up

__all__ = [
    "Comparison",
    "Contender",
    "Difference",
    "Extracted",
    "Figure",
    "Journal",
    "Protocol",
    "Record",
    "Row",
    "compared",
    "contenders",
    "measure",
    "measure_features",
    "reduced",
    "run_bench",
    "summed_up",
    "timed_features",
    "truth_reduced",
]
