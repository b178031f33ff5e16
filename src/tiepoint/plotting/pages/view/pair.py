"""The page of a pair: verdict, both photos, matches, thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np

from tiepoint.plotting.outline import border
from tiepoint.plotting.pages.markup import Content, Markup, breakable, element, joined
from tiepoint.plotting.pages.parts import definitions
from tiepoint.plotting.pages.view import controls
from tiepoint.plotting.pages.view.facts import photo_facts, photo_name, result_facts
from tiepoint.plotting.pages.view.help import pair_help
from tiepoint.plotting.pages.view.mutual import mutual_flags
from tiepoint.plotting.pages.view.origin import result_lines
from tiepoint.plotting.pages.view.packing import packed
from tiepoint.plotting.pages.view.rows import Rows, keypoint_arrays, row_arrays, rows_of
from tiepoint.plotting.pages.view.sheet import palette, photo_elements, previews, sheet
from tiepoint.plotting.pages.view.thresholds import Thresholds, thresholds_of
from tiepoint.plotting.selection import shown_of
from tiepoint.types import Geometry, MatchResult, Verdict

_MARKS = {"yes": "\N{CHECK MARK}", "no": "\N{MULTIPLICATION X}", "unsure": "?"}


def matches_page(
    result: MatchResult,
    *,
    full: bool = False,
    keep_location: bool = False,
    embedded: bool = False,
    most_side: int = 2048,
) -> str:
    """Return the page of two photos and what was found between them.

    Parameters
    ----------
    result : MatchResult
    full : bool
        Keep all pixels of the photos; else they are as large as a page of 4 MB has room for.
    keep_location : bool
        Show where the photos were taken, if they tell.
    embedded : bool
        For a frame in a notebook.
    most_side : int
        Longest side of a preview in pixels.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.plotting.pages.view import matches_page
    >>> scene = render_demo()
    >>> text = matches_page(tp.match(scene.image0, scene.image1, extractor="orb"))
    >>> "Same scene: yes" in text, len(text) < 1_000_000
    (True, True)
    """
    images = (result.image0, result.image1)
    names = [photo_name(image, letter) for image, letter in zip(images, "AB", strict=True)]
    rows = rows_of(result)
    mutual = mutual_flags(result.candidates, result.features0, result.features1)
    start = thresholds_of(result, mutual, rows.kept[: rows.candidates])
    document = _document(result, rows, mutual, start)
    for photo, name in zip(document["photos"], names, strict=True):
        photo["name"] = name
    shown = previews(images, numbers=_bytes(document), full=full, most_side=most_side)
    features = (result.features0, result.features1)
    counted = [("in A", features[0]), ("in B", features[1])]
    parts: dict[str, Content] = {
        "heading": joined(["A ", breakable(names[0]), ", B ", breakable(names[1])]),
        "verdict": _verdict(result),
        "row": "match",
        "stage_label": f"{names[0]} and {names[1]}, with {_counted(len(result.matches))}",
        "photos": photo_elements((one, f"Photo {letter}: {name}")
                                 for one, letter, name in zip(shown, "AB", names, strict=True)),
        "nothing": "No match passes, or none is switched on.",
        "no_flicker": "" if result.geometry is not None and result.geometry.planar else Markup(" hidden"),
        "no_thresholds": "" if _sliders(result) else Markup(" hidden"),
        "no_rows": "" if len(rows.kept) else Markup(" hidden"),
        "outline": controls.legend("outline", "border of the other photo") if document["outlines"] else "",
        "switches": _switches(result, rows, mutual is not None, start),
        "follow": controls.switch("follow", "Photos follow each other", on=True)
        if result.geometry
        else "",
        "colours": controls.colours(document["colours"]),
        "funnel": controls.funnel(
            [(f"keypoints {where}", len(found)) for where, found in counted if found is not None]
            + [("nearest" if rows.kept.sum() < rows.candidates else "candidates", rows.candidates)],
            _live(result, rows, mutual is not None),
        ),
        "sliders": joined(controls.slider(name) for name in _sliders(result)),
        "patches": joined(controls.patch(number, "AB"[number]) for number in (0, 1)),
        "remark": _remark(start, result),
        "columns": joined(element("th", text, scope="col", class_="text")
                          for text in ("match", "A: x, y", "B: x, y", _ranked_by(result), "geometry")),
        "facts": _facts(result, names, keep_location=keep_location),
        "help": pair_help(result.geometry),
    }  # fmt: skip
    return sheet(f"{names[0]}, {names[1]}", parts, document, embedded=embedded)


def _document(result: MatchResult, rows: Rows, mutual: Any, start: Thresholds) -> dict[str, Any]:
    geometry = result.geometry
    ties = row_arrays(rows, mutual, (result.features0, result.features1))
    return {
        "kind": "pair",
        "photos": [
            {"width": image.width, "height": image.height} for image in (result.image0, result.image1)
        ],
        "rows": ties,
        "keypoints": [keypoint_arrays(features) for features in (result.features0, result.features1)],
        "geometry": None if geometry is None else _geometry(geometry),
        "thresholds": {
            "mutual": start.mutual,
            "ratio": start.ratio,
            "distance": start.max_distance,
            "score": None,
            "size": None,
            "most": None,
        },
        "origin": result_lines(result),
        "outlines": [packed(parts) for parts in _outlines(geometry)],
        "palette": palette(),
        "colours": _colours(result),
    }


def _geometry(geometry: Geometry) -> dict[str, Any]:
    return {
        "found": bool(geometry),
        "model": geometry.model,
        "planar": geometry.planar,
        "matrix": None if geometry.matrix is None else geometry.matrix.ravel().tolist(),
        "max_error": geometry.max_error,
        "mirrored": geometry.mirrored,
    }


def _outlines(geometry: Geometry | None) -> list[Any]:
    """Return the border of photo 1 in photo 0 and that of photo 0 in photo 1, where there is a homography."""
    if geometry is None or geometry.matrix is None or not geometry.planar:
        return []
    matches, agree = geometry.matches, geometry.inliers
    sizes = matches.image_size0, matches.image_size1
    H_1_from_0 = geometry.matrix
    H_0_from_1 = np.linalg.inv(H_1_from_0).astype(np.float64)
    return [
        border(H_0_from_1, matches.xy1[agree], sizes[1], sizes[0]),
        border(H_1_from_0, matches.xy0[agree], sizes[0], sizes[1]),
    ]


def _verdict(result: MatchResult) -> Markup:
    verdict, geometry = result.verdict, result.geometry
    if verdict is None:
        said = "no verdict was asked for" if geometry is None else str(geometry)
        return element(
            "p", element("span", _counted(len(result.matches)), element("small", said)), class_="answer"
        )
    return joined(
        [
            _answer(verdict),
            element("ul", *(element("li", line) for line in verdict.reasons), class_="reasons"),
        ]
    )


def _answer(verdict: Verdict) -> Markup:
    said, _, probability = str(verdict).partition(", ")
    said = said[0].upper() + said[1:]
    return element(
        "p",
        element("b", _MARKS[verdict.answer], aria_hidden="true"),
        element("span", said, element("small", probability) if probability else ""),
        class_=f"answer {verdict.answer}",
    )


def _switches(result: MatchResult, rows: Rows, mutual: bool, start: Thresholds) -> Markup:
    boxes = []
    if result.geometry is None:
        boxes.append(controls.switch("agree", "matches", on=True, key="unknown", counted="unknown"))
    else:
        boxes += [
            controls.switch("agree", "agree", on=True, key="agree", counted="own"),
            controls.switch("rejected", "rejected", on=True, key="rejected", counted="rejected"),
        ]
    if rows.guided.any():
        boxes.append(
            controls.switch("guided", "more by guided matching", on=True, key="guided", counted="guided")
        )
    if result.features0 is not None and result.features1 is not None:
        text = "keypoints" if rows.column("pairs") is None else "unmatched keypoints"
        boxes.append(controls.switch("keypoints", text, on=False, key="keypoints"))
    if mutual:
        boxes.append(controls.switch("mutual", "nearest both ways only", on=start.mutual))
    return joined(boxes)


def _sliders(result: MatchResult) -> list[str]:
    candidates = result.candidates
    known = {"ratio": candidates.ratio, "distance": candidates.distance, "score": candidates.score}
    names = [name for name, values in known.items() if values is not None and len(values)]
    # Where nothing ranks them, the first are no better than the last.
    return [*names, "most"] if names else []


def _colours(result: MatchResult) -> list[str]:
    candidates = result.candidates
    known = {"ratio": candidates.ratio, "score": candidates.score, "distance": candidates.distance,
             "scale": candidates.size0}  # fmt: skip
    names = [name for name, values in known.items() if values is not None]
    return [*(["inlier"] if result.geometry is not None else []), *names, "plain"]


def _ranked_by(result: MatchResult) -> str:
    names = [name for name in ("ratio", "score", "distance") if getattr(result.candidates, name) is not None]
    return names[0] if names else ""


def _live(result: MatchResult, rows: Rows, mutual: bool) -> list[tuple[str, str]]:
    names = _sliders(result)
    texts = {"ratio": "pass the ratio", "distance": "pass the distance", "score": "pass the score",
             "most": "strongest"}  # fmt: skip
    stages = [("mutual", "mutual")] if mutual else []
    stages += [("strongest" if name == "most" else name, texts[name]) for name in names]
    if rows.guided.any():
        stages.append(("passed", "with guided matching"))
    return stages if result.geometry is None else [*stages, ("agree", "agree")]


def _remark(start: Thresholds, result: MatchResult) -> Markup:
    if start.whole or not len(result.candidates):
        return Markup("")
    return element(
        "p",
        f"The result has {_counted(len(result.matches))}: there were filters that no slider here stands for.",
        class_="note",
    )


def _facts(result: MatchResult, names: list[str], *, keep_location: bool) -> Markup:
    lists: list[Markup] = []
    for letter, name, image in zip("AB", names, (result.image0, result.image1), strict=True):
        facts = [("file", breakable(name)), *photo_facts(image, keep_location=keep_location)]
        lists.append(element("div", element("h2", f"Photo {letter}"), definitions(facts)))
    lists.append(element("div", element("h2", "How it came about"), definitions(result_facts(result))))
    return joined(lists)


def _counted(count: int) -> str:
    return shown_of(count, count, "match", ranked=False)


def _bytes(document: Any) -> int:
    """Return about what a document takes in the page."""
    if isinstance(document, dict):
        return sum(_bytes(value) for value in document.values())
    if isinstance(document, list):
        return sum(_bytes(value) for value in document)
    return len(str(document)) + 10
