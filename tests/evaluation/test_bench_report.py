"""What a bench reports: the comparison to the best, table, document, CSV, pictures, page."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import PIL.Image
import pytest

from tiepoint.evaluation.bench import Contender, Protocol, Record, compared, contenders
from tiepoint.evaluation.bench.report import (
    Report,
    columns_of,
    report_csv,
    report_document,
    report_page,
    report_pictures,
    report_text,
    save_report,
    short_labels,
)
from tiepoint.evaluation.bench.report.style import DARK, LIGHT, looks
from tiepoint.evaluation.datasets import Dataset, HomographyTruth, LabelTruth, Pair, PoseTruth, Truth
from tiepoint.formats import schema

HOSTILE = "<img src=x onerror=alert(1)>"
EYE = np.eye(3)
TRUTHS: dict[str, Truth] = {
    "homography": HomographyTruth(H_1_from_0=EYE),
    "pose": PoseTruth(K0=EYE, K1=EYE, R=EYE, t=np.array([1.0, 0, 0])),
    "label": LabelTruth(same=True),
}
NAMES = "orb,sift:contrast_threshold=0.02,rootsift"


def towns(kind: str, count: int = 8) -> Dataset:
    return Dataset(
        name="towns",
        pairs=tuple(
            Pair(
                name=f"{HOSTILE}/{k}",
                sequence=HOSTILE if k % 2 else "v_tower",
                photo0=Path("a.png"),
                photo1=Path("b.png"),
                truth=TRUTHS[kind],
            )
            for k in range(count)
        ),
        citation=f"A. Nonymous: {HOSTILE}",
        notes=(f"A note on {HOSTILE}.",),
    )


def records(kind: str, rows: Sequence[Contender], dataset: Dataset, rng: np.random.Generator) -> list[Record]:
    made = []
    for number, row in enumerate(rows):
        for pair in dataset.pairs:
            record: Record = {
                "contender": row.key, "pair": pair.name, "sequence": pair.sequence,
                "peak_memory": 100_000_000, "keypoints0": 100, "keypoints1": 120, "matches": 40 + number,
                "seconds_extract0": 0.1, "seconds_extract1": 0.1, "seconds_match": 0.01,
            }  # fmt: skip
            if kind == "homography":
                record |= {
                    "repeatability": 0.5, "localisation": 1.0, "matching_score": 0.3, "recall": 0.4,
                    "mma": np.sort(rng.random(10)).tolist(), "precision": 0.6, "distinctiveness": 0.2,
                    "ratio_right": rng.integers(0, 9, 50).tolist(),
                    "ratio_wrong": rng.integers(0, 9, 50).tolist(),
                    "corner_error": float(rng.random() * 4), "inliers": 20, "seconds_estimate": 0.01,
                }  # fmt: skip
            elif kind == "pose":
                record |= {
                    "precision": 0.6, "rotation_error": float(rng.random() * 9), "translation_error": None,
                    "inliers": 20, "seconds_estimate": 0.01,
                }  # fmt: skip
                record["translation_error"] = float(rng.random() * 20)
            else:
                record["same"] = True
            made.append(record)
    return made


@pytest.fixture(params=list(TRUTHS))
def report(request: pytest.FixtureRequest, rng: np.random.Generator) -> Report:
    rows, dataset = contenders(NAMES, "nearest:ratio=0.85"), towns(request.param)
    return Report.of(dataset, Protocol(), rows, records(request.param, rows, dataset, rng), workers=2)


def made(errors: dict[str, Sequence[float | None]], rows: Sequence[Contender]) -> list[Record]:
    return [
        {"contender": row.key, "pair": str(k), "corner_error": error}
        for row, those in zip(rows, errors.values(), strict=True)
        for k, error in enumerate(those)
    ]


# ---- the comparison


def test_the_difference_is_that_of_the_areas_computed_by_hand() -> None:
    rows = contenders("orb,sift")
    # One pair each, twice: the share of pairs over the error rises from 0 to 1 between 0 and the error, so
    # the area up to 5 px is 1 - e / 10; a failure is 0.
    result = compared(rows, made({"orb": [None] * 8, "sift": [2.0] * 8}, rows))
    assert result is not None
    assert (result.figure, result.best) == ("homography_auc@5", "sift, nearest")
    [other] = result.others
    assert other.pairs == 8
    assert other.difference.value == pytest.approx(-_area_by_hand([2.0] * 8))
    assert other.apart


def _area_by_hand(errors: Sequence[float]) -> float:
    """The trapezoids under the share of pairs up to an error, by a sum over a fine grid."""
    points = [(0.0, 0.0)] + [(e, (k + 1) / len(errors)) for k, e in enumerate(sorted(errors)) if e <= 5]
    points.append((5.0, points[-1][1]))
    return sum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairwise(points)) / 5


def test_the_same_errors_are_not_told_apart(rng: np.random.Generator) -> None:
    rows = contenders("orb,sift")
    errors = (rng.random(30) * 6).tolist()
    result = compared(rows, made({"orb": errors, "sift": errors}, rows))
    assert result is not None
    difference = result.others[0].difference
    assert (difference.value, difference.low, difference.high) == (0, 0, 0)
    assert not result.others[0].apart


def test_pairing_tells_apart_what_the_intervals_of_the_rows_do_not(rng: np.random.Generator) -> None:
    rows = contenders("orb,sift")
    errors = rng.random(40) * 6
    records = made({"orb": (errors + 0.3).tolist(), "sift": errors.tolist()}, rows)
    result = compared(rows, records)
    assert result is not None
    assert result.best == "sift, nearest"
    assert result.others[0].apart
    assert result.others[0].difference.high < 0


def test_noise_is_seldom_taken_for_a_difference(rng: np.random.Generator) -> None:
    rows = contenders("orb,sift")
    found = 0
    for _ in range(30):
        errors = {name: (rng.random(25) * 8).tolist() for name in ("orb", "sift")}
        result = compared(rows, made(errors, rows))
        found += result is not None and result.others[0].apart
    assert found <= 6  # 1.5 expected; 7 or more come once in a thousand times


def test_only_pairs_that_both_have_are_compared() -> None:
    rows = contenders("orb,sift")
    records = made({"orb": [1.0, 1.0, 1.0], "sift": [1.0, 1.0, 1.0]}, rows)
    records[0] = {"contender": rows[0].key, "pair": "0", "error": "cannot be read"}
    result = compared(rows, records)
    assert result is not None
    assert result.others[0].pairs == 2


@pytest.mark.parametrize("names", ["orb", "orb,sift"])
def test_nothing_to_compare(names: str) -> None:
    rows = contenders(names)
    assert compared(rows, []) is None
    assert compared(rows, made({name: [1.0] for name in names.split(",")}, rows)) is None
    assert compared((), []) is None


# ---- the table


def test_the_table_fits_80_letters_and_keeps_every_figure(report: Report) -> None:
    text = report_text(report, width=80)
    assert max(map(len, text.splitlines())) <= 80
    head = text.splitlines()[1].split()
    assert head == ["extractor", *(column.head for column in columns_of(report.rows))]
    squeezed = re.sub(r"\s+", "", text)
    for row in report.rows:
        for column in columns_of(report.rows):
            assert column.value(row.figures[column.name]) in squeezed
    wide = report_text(report, width=140)
    assert wide.splitlines()[1].split() == head
    assert "sift:contrast_threshold=0.02" in wide
    assert "nearest:ratio=0.85" in wide


def test_the_table_says_how_it_was_measured(report: Report) -> None:
    said = re.sub(r"\s+", " ", report_text(report, width=100))
    facts = "short side of 480 px|at most 4096|by bootstrap over pairs|one thread|2 processes"
    versions = "tiepoint 0|opencv |poselib |numpy |peak memory|orb 100 MB"
    for words in (*facts.split("|"), *versions.split("|")):
        assert words in said, words
    assert ("PoseLib at 2 px, seed 0" in said) == report.estimates
    assert ("pairs of the same thing: 8, of different ones: 0" in said) == (not report.estimates)


def test_the_table_in_letters_of_1963(report: Report) -> None:
    assert report_text(report, ascii_only=True).isascii()


def test_labels_drop_the_matcher_that_all_share() -> None:
    assert short_labels([]) == ((), None)
    assert short_labels(["a", "b"]) == (("a", "b"), None)
    assert short_labels(["a, m:x=1", "b, m:x=1"]) == (("a", "b"), "m:x=1")


def test_labels_are_no_markup_of_rich() -> None:
    rows = (Contender(label="[red]x[/red], :smile:", extractor=contenders("orb")[0].extractor,
                      matcher=contenders("orb")[0].matcher),)  # fmt: skip
    dataset = towns("label", 2)
    report = Report.of(dataset, Protocol(), rows, records("label", rows, dataset, np.random.default_rng(0)))
    assert "[red]x[/red]" in report_text(report)
    assert "matcher      :smile:" in report_text(report)


# ---- document and CSV


def test_the_document_is_valid(report: Report) -> None:
    document = json.loads(json.dumps(report_document(report), allow_nan=False))
    jsonschema.validate(document, schema("bench"))
    assert document["dataset"]["sequences"] == ["v_tower", HOSTILE]
    assert document["protocol"]["workers"] == 2
    if report.comparison is None:
        assert document["best"] is None
    else:
        behind = {row["label"]: row["behind_best"] for row in document["rows"]}
        assert [label for label, difference in behind.items() if difference is None] == [
            document["best"]["label"]
        ]


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d.pop("protocol"),
        lambda d: d.update(more=1),
        lambda d: d["rows"][0]["figures"]["matches"].pop("low"),
        lambda d: d["rows"][0].update(pairs=-1),
    ],
)
def test_the_schema_is_strict(damage: Any, rng: np.random.Generator) -> None:
    rows, dataset = contenders("orb"), towns("label")
    document = report_document(Report.of(dataset, Protocol(), rows, records("label", rows, dataset, rng)))
    jsonschema.validate(document, schema("bench"))
    damage(document)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema("bench"))


def test_csv_has_every_figure_with_its_interval(report: Report) -> None:
    lines = list(csv.DictReader(io.StringIO(report_csv(report))))
    assert [line["label"] for line in lines] == [row.label for row in report.rows]
    for line, row in zip(lines, report.rows, strict=True):
        for name, figure in row.figures.items():
            assert [float(line[f"{name}{which}"]) for which in ("", "_low", "_high")] == [
                figure.value, figure.low, figure.high,
            ]  # fmt: skip
        assert int(line["peak_memory"]) == row.peak_memory


# ---- pictures


def test_the_pictures_are_drawn_light_and_dark(report: Report) -> None:
    pictures = report_pictures(report)
    expected = {
        "homography_auc@5": ["mma", "auc", "speed", "distinctiveness"],
        "pose_auc@5": ["auc", "speed"],
        "matches_same": ["matches"],
    }
    assert [one.name for one in pictures] == next(
        names for figure, names in expected.items() if figure in report.rows[0].figures
    )
    for one in pictures:
        with PIL.Image.open(io.BytesIO(one.png())) as png:
            assert png.width == 1440
            assert png.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
        light, size = one.svg(LIGHT)
        dark, _ = one.svg(DARK)
        assert size[0] == 480
        assert light != dark
        assert len(light) < 100_000
        assert DARK.paper.encode() in dark


def test_looks_differ() -> None:
    for theme in (LIGHT, DARK):
        assert len(set(theme.colours)) == 7
        those = {(look.colour, str(look.style), look.hatch) for look in looks(28, theme)}
        assert len(those) == 28


def test_a_label_is_no_formula(rng: np.random.Generator) -> None:
    one = contenders("orb")[0]
    rows = (Contender(label=r"$\frac{$ _x_, m", extractor=one.extractor, matcher=one.matcher),)
    dataset = towns("homography")
    report = Report.of(dataset, Protocol(), rows, records("homography", rows, dataset, rng))
    for picture in report_pictures(report):
        assert picture.png()


# ---- the page


def test_names_on_the_page_are_text(report: Report) -> None:
    errors = (("orb, nearest", f"{HOSTILE}.jpg", f"{HOSTILE}.jpg: cannot be read"),)
    hostile = Report(**{**vars(report), "errors": errors})
    text = report_page(hostile)
    assert HOSTILE not in text
    assert text.count("&lt;img src=<wbr>x onerror=<wbr>alert(1)&gt;") >= 3
    assert not re.search(r"<[^>]*\son\w+\s*=", text)
    assert "1 of 24 measurements failed" in text


def test_the_page_is_small_and_loads_nothing(report: Report) -> None:
    text = report_page(report)
    assert len(text.encode()) < 1_000_000
    assert "default-src 'none'" in text
    assert {link.split(":")[0] for link in re.findall(r'(?:src|srcset|href)="([^"]*)"', text)} == {"data"}
    for words in ("Local features on towns", "By sequence", "How it was measured", "to cite", "All figures"):
        assert words in text


def test_all_files_are_written(report: Report, tmp_path: Path) -> None:
    names = [path.name for path in save_report(report, tmp_path / "new" / "folder")]
    assert names[:3] == ["report.html", "table.csv", "result.json"]
    assert names[3:] == [f"{picture.name}.png" for picture in report_pictures(report)]
    document = json.loads((tmp_path / "new" / "folder" / "result.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema("bench"))
