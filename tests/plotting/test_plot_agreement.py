from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tiepoint.errors import DataError
from tiepoint.plotting import draw_matches, plot_matches
from tiepoint.plotting.style import AGREE, OUTLINE, REJECTED
from tiepoint.types import MatchResult

from .plot_inputs import judged_of, marked, plain, result_of

IMAGE = plain(400, 300)


def new_axes() -> Axes:
    return Figure(figsize=(10, 4)).add_subplot()


def texts(result: MatchResult, **options: Any) -> set[str]:
    return {text.get_text() for text in plot_matches(result, ax=new_axes(), **options).texts}


def title(result: MatchResult, **options: Any) -> list[str]:
    return plot_matches(result, ax=new_axes(), **options).get_title().split("\n")


def near(picture: NDArray[np.uint8], colour: str, tolerance: int = 45) -> NDArray[np.bool_]:
    rgb = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)])
    close: NDArray[np.bool_] = (np.abs(picture.astype(int) - rgb) < tolerance).all(axis=2)
    return close


def two_rows() -> MatchResult:
    """A match above that agrees, one below that does not."""
    return judged_of(
        [[50, 50], [50, 250]], [[300, 50], [300, 250]], IMAGE, IMAGE, [True, False], model="fundamental"
    )


def test_inliers_and_rejected_have_their_own_colours_and_the_rejected_are_thinner() -> None:
    picture = draw_matches(two_rows(), title="", width=1206)[:450]
    above, below = picture[:225], picture[225:445]
    assert near(above, AGREE).sum() > 500
    assert near(below, REJECTED, tolerance=80).sum() > 300
    assert not near(above, REJECTED).any()
    assert not near(below, AGREE).any()
    assert marked(above)[:, 300].sum() > marked(below)[:, 300].sum() > 1


def test_colours_can_be_told_apart_in_gray_too() -> None:
    def light(colour: str) -> float:
        r, g, b = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
        return 0.299 * r + 0.587 * g + 0.114 * b

    assert light(AGREE) > light(REJECTED) + 30


def test_counts_are_under_the_photos_and_the_verdict_above() -> None:
    funnel = (("nearest", 9), ("ratio", 2))
    result = judged_of(
        [[50, 50], [50, 250]], [[300, 50], [300, 250]], IMAGE, IMAGE, [True, False], funnel=funnel,
        model="fundamental", guided=1,
    )  # fmt: skip
    assert {"1 agree", "1 rejected"} <= texts(result)
    assert "border of the other photo" not in texts(result)
    assert title(result) == [
        "same scene: yes, p = 0.97",
        "SIFT: 1 match that agrees, 1 rejected",
        "9 nearest → 2 ratio → 2 with guided → 1 agree",
    ]
    assert title(result, title="mine") == ["mine"]
    unjudged = judged_of([[5, 5]], [[5, 5]], IMAGE, IMAGE, [True], answer=None)
    assert title(unjudged)[0] == "SIFT: 1 match that agrees"


def test_nothing_found_is_drawn_as_rejected_and_says_why() -> None:
    result = judged_of([[50, 50]], [[300, 250]], IMAGE, IMAGE, [False], answer="unsure")
    assert title(result)[1] == "SIFT: 1 match, none to trust: no more agree than chance would give"
    assert {"0 agree", "1 rejected"} <= texts(result)
    picture = draw_matches(result, title="", width=1206)[:450]
    assert near(picture, REJECTED).sum() > 300
    assert not near(picture, AGREE).any()
    none = judged_of([], [], IMAGE, IMAGE, [], answer="unsure")
    assert title(none)[1] == "no matches, none to trust: no more agree than chance would give"


def segments(axes: Axes) -> int:
    return sum(len(lines.get_segments()) for lines in axes.collections if hasattr(lines, "get_segments")) // 2


@pytest.mark.parametrize(("top", "agree", "rejected"), [
    (None, 60, 15), (10, 10, 0), (200, 200, 0), (230, 200, 30), (1000, 200, 50),
])  # fmt: skip
def test_top_takes_those_that_agree_first(
    top: int | None, agree: int, rejected: int, rng: np.random.Generator
) -> None:
    xy = rng.uniform(10, 290, (250, 2))
    # The rejected are the strongest by distance.
    distance = [*range(100, 300), *range(50)]
    result = judged_of(
        xy, xy, IMAGE, IMAGE, [True] * 200 + [False] * 50, model="fundamental", distance=distance
    )
    axes = plot_matches(result, top=top, ax=new_axes())
    assert segments(axes) - 2 == agree + rejected  # two strokes in the legend
    words = axes.get_title().split("\n")[1]
    shown = "200" if agree == 200 else f"{agree} strongest of 200"
    assert words.startswith(f"SIFT: {shown} matches that agree")
    assert ("rejected" in words) == (rejected > 0)
    if rejected:
        assert words.endswith(f", {rejected} of 50 rejected" if rejected < 50 else ", 50 rejected")


def test_few_rejected_are_shown_even_if_their_share_is_small(rng: np.random.Generator) -> None:
    xy = rng.uniform(10, 290, (1000, 2))
    result = judged_of(xy, xy, IMAGE, IMAGE, [True] * 990 + [False] * 10, model="fundamental")
    assert title(result)[1] == "SIFT: 60 of 990 matches that agree, 5 of 10 rejected"


def test_the_border_of_each_photo_is_drawn_in_the_other() -> None:
    # Photo 0 is the middle of photo 1, at half its size.
    H_1_from_0 = np.array([[0.5, 0, 100], [0, 0.5, 75], [0, 0, 1]])
    result = judged_of([[5, 5]], [[102.5, 77.5]], IMAGE, IMAGE, [True], matrix=H_1_from_0)
    assert "border of the other photo" in texts(result)
    picture = draw_matches(result, title="", width=1206)[:450]
    yellow = np.argwhere(near(picture, OUTLINE))[:, ::-1]
    left, top = yellow.min(axis=0)
    right, bottom = yellow.max(axis=0)
    # 1.5 pixels of the picture for one of a photo; photo 1 begins after the gap.
    begin = 1206 - 598
    assert (left, right) == pytest.approx((begin + 150, begin + 450), abs=5)
    assert (top, bottom) == pytest.approx((112, 337), abs=5)
    spatial = judged_of([[5, 5]], [[5, 5]], IMAGE, IMAGE, [True], model="essential")
    assert not near(draw_matches(spatial, title="", width=1206)[:450], OUTLINE).any()


def test_other_colours_pass_the_geometry_over() -> None:
    result = judged_of([[50, 50], [50, 250]], [[300, 50], [300, 250]], IMAGE, IMAGE, [True, False],
                       distance=[1, 2])  # fmt: skip
    assert "near, distance 1" in texts(result, color_by="distance")
    assert title(result, color_by="match") == ["SIFT: 2 matches"]
    assert {"1 agree"} <= texts(result, color_by="inlier")
    bare = result_of([[1, 1]], [[1, 1]], IMAGE, IMAGE)
    with pytest.raises(DataError, match="no geometry to colour them by; match with verify=True"):
        draw_matches(bare, color_by="inlier")
    with pytest.raises(DataError, match="no geometry"):
        draw_matches(result.matches, image0=IMAGE, image1=IMAGE, color_by="inlier")
