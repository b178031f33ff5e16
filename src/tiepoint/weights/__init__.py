"""Weights of learned extractors and matchers: catalogued, fetched, checked, and read without trust."""

from tiepoint.weights.checkpoint import read_checkpoint
from tiepoint.weights.entries import PERMISSIVE, Weights, Wheel, catalogue, expand, find
from tiepoint.weights.fetching import SOURCES, Source, fetch, fetch_all, import_file
from tiepoint.weights.store import folder, load, missing, path_of, provenance

__all__ = [
    "PERMISSIVE",
    "SOURCES",
    "Source",
    "Weights",
    "Wheel",
    "catalogue",
    "expand",
    "fetch",
    "fetch_all",
    "find",
    "folder",
    "import_file",
    "load",
    "missing",
    "path_of",
    "provenance",
    "read_checkpoint",
]
