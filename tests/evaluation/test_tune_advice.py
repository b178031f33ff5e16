"""What tuning says: the words, the tables and the documents, of results that are made up."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tiepoint.evaluation.tune import (
    Candidate,
    Change,
    Figures,
    Outcome,
    PhotoFacts,
    Row,
    Trial,
    Tuning,
    advice,
    command,
    difference,
    figures_of,
    tables,
    tuning_csv,
    tuning_document,
)
from tiepoint.extractors import get_extractor

KINDS = ("second photo", "viewpoint", "light")


def figures(score: float, *, right: float = 800, matches: float = 1000, **others: Any) -> Figures:
    values: dict[str, Any] = {
        "trials": 24,
        "score": score,
        "score_interval": (score - 0.1, score + 0.1),
        "found": 0.96,
        "found_interval": (0.8, 0.99),
        "matches": matches,
        "right": right,
        "precision": right / max(matches, 1),
        "off": 0.0002,
        "seconds": 1.0,
        "score_by_kind": dict.fromkeys(KINDS, score),
    }
    return Figures(**{**values, **others})


def row(name: str, score: float, *, ratio: float | None = 0.8, **others: Any) -> Row:
    """A finalist, whose scores scatter about their mean alike for all."""
    of_figures = {k: others.pop(k) for k in list(others) if k in Figures.__dataclass_fields__}
    values: dict[str, Any] = {
        "candidate": Candidate(extractor=get_extractor(name, **others.pop("options", {})), ratio=ratio),
        "round": 4,
        "fate": "went through all rounds",
        "tuned": figures(score, **of_figures),
        "held_out": figures(score, **of_figures),
        "scores": tuple(score + 0.01 * (k % 5 - 2) for k in range(24)),
    }
    return Row(**{**values, **others})


PHOTOS = tuple(
    PhotoFacts(
        name=f"photos/{k}.jpg",
        path=f"photos/{k}.jpg",
        size=(1600, 1200),
        tried_at=(1600, 1200),
        role=role,
        found=0.96,
        right=800.0,
    )
    for k, role in enumerate(("tuned on", "kept aside"))
)
DEFAULT = row("rootsift", 0.6, tuned=None, fate="only to compare with")


def made_up(recommended: Row | None, *others: Row, **values: Any) -> Tuning:
    rows = tuple(one for one in (recommended, *others) if one is not None)
    best = values.pop("best", recommended)
    facts: dict[str, Any] = {
        "photos": PHOTOS,
        "rows": tuple(dict.fromkeys(one for one in (*rows, best, values.get("default")) if one is not None)),
        "recommended": recommended,
        "best": best,
        "other": None,
        "default": None,
        "budget": 120.0,
        "seconds": 99.0,
        "complete": True,
        "seed": 0,
        "without": (),
        "workers": 2,
    }
    return Tuning(**{**facts, **values})


def test_the_first_sentences_say_what_and_why() -> None:
    said = advice(made_up(row("akaze", 0.8, options={"max_keypoints": 8192}), default=DEFAULT))
    assert said[0] == "Take akaze max_keypoints=8192, ratio 0.8."
    assert said[1] == (
        "On 24 pairs of 1 photo by which nothing was chosen, the homography came out right in 96 % "
        "(95 % interval 80 to 99 %), with 800 right matches of 1000 in the median pair."
    )
    assert said[2].startswith(
        "It is better than what tiepoint match begins with by default, rootsift, ratio 0.8: "
    )
    assert "0.80 against 0.60, the difference +0.20 (95 % interval +0.20 to +0.20)" in said[2]
    assert len(said) == 4


def test_the_command_names_the_photos() -> None:
    tuning = made_up(row("sift", 0.8, options={"contrast_threshold": 0.02}))
    assert command(tuning) == (
        "tiepoint match photos/0.jpg photos/1.jpg --extractor sift -o contrast_threshold=0.02 --ratio 0.8"
    )
    one = replace(tuning, photos=PHOTOS[:1])
    assert (command(one) or "").startswith("tiepoint match photos/0.jpg B.jpg ")
    none = replace(tuning, photos=(replace(PHOTOS[0], path=None),))
    assert (command(none) or "").startswith("tiepoint match A.jpg B.jpg ")
    assert command(made_up(None)) is None


@pytest.mark.parametrize(
    ("default", "words"),
    [
        (row("rootsift", 0.9, tuned=None), "did better"),
        (row("rootsift", 0.79, tuned=None), "It is a little better than what tiepoint match begins with"),
        (
            replace(DEFAULT, scores=tuple(0.8 + 0.3 * (k % 3 - 1) for k in range(24))),
            "It is not clearly better than what tiepoint match begins with",
        ),
    ],
)
def test_the_default_is_a_serious_rival(default: Row, words: str) -> None:
    said = advice(made_up(row("akaze", 0.8), default=default))
    assert words in said[2]


def test_the_default_may_be_the_best() -> None:
    same = row("rootsift", 0.8)
    said = advice(made_up(same, default=same))
    assert said[2] == "That is what tiepoint match begins with by default: for it nothing has to be set."


@pytest.mark.parametrize("name", ["rootsift", "akaze"])
def test_what_auto_does_after_its_first_method_is_not_promised(name: str) -> None:
    chosen = row(name, 0.8)
    said = advice(made_up(chosen, default=chosen if name == "rootsift" else DEFAULT))
    assert said[3].startswith("The command names one extractor, which then works alone; without --extractor")
    nothing = row(name, 0.0, matches=0, right=0, found=0.0)
    assert command(made_up(nothing)) is None
    assert "The command" not in " ".join(advice(made_up(nothing)))


def test_one_thread_is_said_of_workers_only() -> None:
    chosen, other = row("sift", 0.8), row("orb", 0.6, seconds=0.1)
    for workers, words in ((2, "0.10 seconds a pair on one thread, 10 %"), (0, "0.10 seconds a pair, 10 %")):
        said = advice(made_up(chosen, other, other=other, default=DEFAULT, workers=workers))
        assert words in " ".join(said)
        assert ("on one thread" in " ".join(said)) == bool(workers)


def test_a_slower_best_and_a_faster_other_are_named() -> None:
    chosen = row("sift", 0.80, seconds=1.0)
    best = row("akaze", 0.81, seconds=2.5)
    other = row("orb", 0.6, seconds=0.1, score_by_kind={"second photo": 0.5, "light": 0.9})
    said = " ".join(advice(made_up(chosen, best, other, best=best, other=other)))
    assert "akaze, ratio 0.8 had a score higher by 0.010, which is within the noise" in said
    assert "2.50 seconds a pair on one thread, 2.5 times as long. Take it where time does not matter" in said
    assert "Of other extractors there is orb, ratio 0.8: score 0.60, 96 % of the pairs" in said
    assert "where time matters: it takes 0.10 seconds a pair on one thread, 10 % of the time" in said
    assert "or where what changes most is: light." in said
    worse = row("orb", 0.6, seconds=2.0)
    assert "Nothing speaks for it here." in " ".join(advice(made_up(chosen, worse, other=worse)))


@pytest.mark.parametrize(
    ("poor", "words"),
    [
        ({"matches": 12, "right": 3, "found": 0.2}, "too little texture for any of the extractors"),
        ({"matches": 900, "right": 400, "found": 0.3}, "70 % of the pairs fail"),
        ({"matches": 45, "right": 40, "found": 0.9}, "These photos give few matches"),
    ],
)
def test_what_does_not_work_is_said_first(poor: dict[str, float], words: str) -> None:
    said = advice(made_up(row("sift", 0.1, **poor)))
    assert words in said[0]
    assert said[1] == "Of what there is, sift, ratio 0.8 did best."
    assert not any(sentence.startswith("Take sift") for sentence in said)


def test_photos_are_spoken_of_where_there_is_something_to_say() -> None:
    poor = replace(PHOTOS[0], name="wall\n.jpg", right=3.0)
    large = replace(PHOTOS[1], size=(6000, 4000), tried_at=(1732, 1155))
    unused = replace(PHOTOS[0], role="not used", right=None)
    said = " ".join(advice(made_up(row("sift", 0.8), photos=(poor, large, unused))))
    assert "Few right matches come from wall\\n.jpg" in said
    assert "reduced to 2 megapixels. To match at that size too, add -o max_size=1732" in said
    assert "Of the 3 photos 10 were used" in said


def test_what_did_not_fit_is_listed() -> None:
    late = [
        row(name, 0, tuned=None, held_out=None, round=1, fate="time ran out before it was tried in round 1")
        for name in ("orb", "akaze", "kaze", "brisk")
    ]
    slow = row("vgg", 0.7, held_out=None, round=2, fate="too slow for the budget, in round 2")
    broken = row("latch", 0, tuned=None, held_out=None, round=1, fate="failed: it ran out of memory")
    tuning = made_up(row("sift", 0.8), *late, slow, broken, complete=False)
    said = advice(tuning)
    assert (
        "Not in the budget of 120 seconds: orb; akaze; kaze; brisk; and 1 more; --budget 240 goes further."
        in said
    )
    assert "latch failed: it ran out of memory." in said
    titles = dict(tables(tuning))
    assert titles["Not tried"][0] == ("orb", "time ran out before it was tried in round 1")
    nothing = advice(made_up(None, *late))
    assert nothing[0].startswith(
        "Time ran out before anything could be recommended; give it more with --budget"
    )
    assert command(made_up(None, *late)) is None
    unchecked = advice(made_up(row("sift", 0.8, held_out=None), *late))
    assert unchecked[0].startswith("So far sift, ratio 0.8 did best, with a score of 0.80, but time ran out")


def test_the_tables_mark_the_recommended() -> None:
    chosen = row("sift", 0.8)
    earlier = row("orb", 0.3, held_out=None, round=2, fate="others did better in round 2")
    tuning = made_up(chosen, earlier, default=DEFAULT)
    (title, rows), (_, others) = tables(tuning)
    assert title == "The last ones, on 24 pairs kept aside"
    assert rows[1][:4] == ("0.800", "0.70-0.90", "96 %", "800")
    assert rows[1][4:] == ("1000", "0.20", "1.00", "0.800", "sift, ratio 0.8  <- recommended")
    assert rows[2][-1] == "rootsift, ratio 0.8  <- default"
    assert rows[2][-2] == ""
    assert others[1][:2] == ("2", "24")
    assert others[1][-1] == "orb, ratio 0.8"
    assert tables(tuning, fates=True)[1][1][1][-1] == "orb, ratio 0.8: others did better in round 2"
    assert all(len({len(line) for line in rows}) == 1 for _, rows in tables(tuning))


def test_the_document_is_json_and_whole() -> None:
    chosen = row("sift", 0.8, off=None)
    earlier = row("orb", 0.3, ratio=None, held_out=None, round=2, fate="others did better in round 2")
    tuning = made_up(chosen, earlier, default=DEFAULT, without=("rotation",))
    document = json.loads(json.dumps(tuning_document(tuning), allow_nan=False))
    assert document["kind"] == "tune"
    assert document["rows"][document["recommended"]]["candidate"] == "sift, ratio 0.8"
    assert document["rows"][document["default"]]["tuned"] is None
    assert document["other"] is None
    assert document["rows"][0]["held_out"]["off"] is None
    assert document["rows"][1]["ratio"] is None
    assert document["rows"][1]["matcher"] == "nearest"
    assert document["over_default"]["score"] == pytest.approx(0.2)
    assert document["command"] == command(tuning)
    assert document["advice"] == list(advice(tuning))
    assert document["without"] == ["rotation"]
    assert document["photos"][1]["role"] == "kept aside"
    get_extractor("sift", **document["rows"][0]["settings"])  # can be built again
    empty = tuning_document(made_up(None))
    assert empty["command"] is None
    assert empty["over_default"] is None


def test_the_page_names_every_field() -> None:
    page = (Path(__file__).parents[2] / "docs" / "tuning.md").read_text(encoding="utf-8")
    table = page.partition("## The JSON document")[2]
    document = tuning_document(made_up(row("sift", 0.8), default=DEFAULT))
    parts = (document, document["photos"][0], document["rows"][0], document["rows"][0]["held_out"])
    assert [name for part in parts for name in part if f"`{name}`" not in table] == []


def test_the_csv_has_a_line_for_each_row() -> None:
    tuning = made_up(row("sift", 0.8), row("orb", 0.3, held_out=None, fate="others"), default=DEFAULT)
    lines = list(csv.DictReader(io.StringIO(tuning_csv(tuning))))
    assert [line["candidate"] for line in lines] == [one.words for one in tuning.rows]
    assert lines[0]["roles"] == "recommended best"
    assert float(lines[0]["held_out_score"]) == 0.8
    assert lines[1]["held_out_score"] == ""
    assert json.loads(lines[0]["settings"])["max_keypoints"] == 4096


def test_a_difference_is_of_the_same_pairs() -> None:
    apart = difference(row("sift", 0.8), row("orb", 0.3))
    assert apart is not None
    assert apart.mean == pytest.approx(0.5)
    assert apart.interval == pytest.approx((0.5, 0.5))
    assert difference(row("sift", 0.8), row("orb", 0.3, scores=())) is None


def test_figures_sum_up_trials() -> None:
    def outcome(kind: str, right: int, off: float | None, seconds: float) -> Outcome:
        trial = Trial(photo=0, megapixels=1, change=Change(name="x", kind=kind))  # type: ignore[arg-type]
        return Outcome(trial=trial, ratio=0.8, matches=4096, right=right, off=off, seconds=seconds)

    summed = figures_of(
        [outcome("light", 4096, 0.0, 1), outcome("light", 0, None, 3), outcome("blur", 2048, 0.008, 2)]
    )
    assert summed.trials == 3
    assert summed.score == pytest.approx(1 / 3)
    assert summed.found == pytest.approx(2 / 3)
    assert (summed.right, summed.matches, summed.seconds) == (2048, 4096, 2)
    assert summed.precision == pytest.approx(0.5)
    assert summed.off == pytest.approx(0.004)
    assert summed.score_by_kind == {"light": pytest.approx(0.5), "blur": 0}
    # Wilson's interval of 2 of 3: statsmodels' proportion_confint(2, 3, method="wilson") gives these.
    assert summed.found_interval == pytest.approx((0.2077, 0.9385), abs=1e-3)
    sure = figures_of([outcome("light", 4096, 0.0, 1)] * 24)
    assert sure.found_interval == pytest.approx((24 / (24 + 1.96**2), 1))
    assert sure.score_interval == pytest.approx((1, 1))
