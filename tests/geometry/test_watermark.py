"""Logos and time stamps that both photos bear, and what only looks like one."""

from __future__ import annotations

import numpy as np
import pytest

from tests.geometry.known_matches import SIZE, anywhere, as_matches
from tests.geometry.two_views import Array
from tiepoint.geometry.watermark import watermark


def stamp(rng: np.random.Generator, corner: tuple[int, int], size: tuple[int, int], n: int = 12) -> Array:
    """Points of a small logo, 10 to 110 pixels from a corner of the photo and as far from its edges."""
    inward = rng.uniform([10, 10], [110, 60], (n, 2))
    return np.where(np.array(corner) > 0, np.array(size) - 1 - inward, inward)


@pytest.mark.parametrize("size1", [SIZE, (1000, 700), (500, 640)])
@pytest.mark.parametrize("corner", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_a_logo_is_found_in_each_corner(
    corner: tuple[int, int], size1: tuple[int, int], rng: np.random.Generator
) -> None:
    at0 = stamp(rng, corner, SIZE)
    at1 = at0 + (np.array(size1) - SIZE) * corner + rng.uniform(-0.5, 0.5, at0.shape)
    scene0, scene1 = anywhere(rng, 60), anywhere(rng, 60, size1)
    matches = as_matches(np.vstack([scene0, at0]), np.vstack([scene1, at1]), image_size1=size1)
    found = watermark(matches)
    assert found is not None
    assert found[60:].all()
    assert found[:60].mean() < 0.05


def test_two_logos_at_once(rng: np.random.Generator) -> None:
    size1 = (1000, 700)
    left, right = stamp(rng, (0, 1), SIZE), stamp(rng, (1, 1), SIZE)
    moved = np.array(size1) - SIZE
    matches = as_matches(
        np.vstack([left, right]), np.vstack([left + moved * (0, 1), right + moved]), image_size1=size1
    )
    found = watermark(matches)
    assert found is not None
    assert found.all()


def test_two_photos_from_one_spot_bear_none(rng: np.random.Generator) -> None:
    xy = anywhere(rng, 100)
    assert watermark(as_matches(xy, xy)) is None
    # Nor does something small and still in the middle.
    middle = rng.uniform([380, 280], [430, 320], (20, 2))
    assert watermark(as_matches(middle, middle)) is None


def test_few_or_one_place_are_none(rng: np.random.Generator) -> None:
    at = stamp(rng, (0, 0), SIZE, 3)
    assert watermark(as_matches(at, at)) is None
    same = np.repeat(at[:1], 50, axis=0)
    assert watermark(as_matches(same, same)) is None
    assert watermark(as_matches(np.empty((0, 2)), np.empty((0, 2)))) is None


def test_what_moves_is_none(rng: np.random.Generator) -> None:
    at = stamp(rng, (0, 0), SIZE)
    assert watermark(as_matches(at, at + 2)) is None
    tiny = np.zeros((10, 2))
    assert watermark(as_matches(tiny, tiny, image_size0=(1, 1), image_size1=(1, 1))) is None
