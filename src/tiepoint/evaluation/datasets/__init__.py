"""Pairs of photos whose truth is known: the field's data sets, and lists of one's own."""

from tiepoint.cache import cache_folder
from tiepoint.evaluation.datasets.base import Dataset, HomographyTruth, LabelTruth, Pair, PoseTruth, Truth
from tiepoint.evaluation.datasets.catalogue import CATALOGUE, Archive, Entry
from tiepoint.evaluation.datasets.download import fetch, fetched
from tiepoint.evaluation.datasets.hpatches import load_hpatches
from tiepoint.evaluation.datasets.load import LAYOUTS, Layout, load_dataset
from tiepoint.evaluation.datasets.megadepth import load_megadepth1500
from tiepoint.evaluation.datasets.oxford import load_oxford
from tiepoint.evaluation.datasets.pairs import load_pairs
from tiepoint.evaluation.datasets.strecha import load_strecha
from tiepoint.transfer import Progress

__all__ = [
    "CATALOGUE",
    "LAYOUTS",
    "Archive",
    "Dataset",
    "Entry",
    "HomographyTruth",
    "LabelTruth",
    "Layout",
    "Pair",
    "PoseTruth",
    "Progress",
    "Truth",
    "cache_folder",
    "fetch",
    "fetched",
    "load_dataset",
    "load_hpatches",
    "load_megadepth1500",
    "load_oxford",
    "load_pairs",
    "load_strecha",
]
