"""Which extractor and options suit one's own photos: tried on changes of them whose geometry is known."""

from tiepoint.evaluation.tune.advice import advice, command
from tiepoint.evaluation.tune.candidates import Candidate, settings_to_try
from tiepoint.evaluation.tune.changes import KINDS, Change, Changed, at_most, first_photo, pair
from tiepoint.evaluation.tune.document import tuning_csv, tuning_document
from tiepoint.evaluation.tune.recipes import draw_changes
from tiepoint.evaluation.tune.results import (
    Difference,
    Figures,
    PhotoFacts,
    Row,
    Tuning,
    difference,
    figures_of,
)
from tiepoint.evaluation.tune.search import tune
from tiepoint.evaluation.tune.tables import tables
from tiepoint.evaluation.tune.trials import Outcome, Trial, Workbench

__all__ = [
    "KINDS",
    "Candidate",
    "Change",
    "Changed",
    "Difference",
    "Figures",
    "Outcome",
    "PhotoFacts",
    "Row",
    "Trial",
    "Tuning",
    "Workbench",
    "advice",
    "at_most",
    "command",
    "difference",
    "draw_changes",
    "figures_of",
    "first_photo",
    "pair",
    "settings_to_try",
    "tables",
    "tune",
    "tuning_csv",
    "tuning_document",
]
