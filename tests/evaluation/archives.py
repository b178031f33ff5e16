"""A small archive for a server to serve, and the data set that it makes."""

from __future__ import annotations

from tests.misbehaving_server import BIG, packed
from tiepoint.evaluation.datasets import Archive, Entry


def entry(*archives: Archive, **changed: str) -> Entry:
    values = {
        "name": "towers",
        "root": "towers",
        "page": "http://127.0.0.1/",
        "citation": "-",
        "licence": "-",
    }
    return Entry(archives=archives, **{**values, **changed})


FILES = {"towers/1.ppm": b"P6 1 1 255 abc", "towers/H_1_2": BIG}
ZIP = packed(FILES)
