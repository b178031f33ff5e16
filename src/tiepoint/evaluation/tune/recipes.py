"""Which changes are tried: an endless sequence drawn at random, of which each beginning is a fair mixture."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import cycle
from typing import Any

import numpy as np

from tiepoint.errors import OptionError
from tiepoint.evaluation.tune.changes import KINDS, Change
from tiepoint.options import nearest

Parameters = dict[str, Any]


def draw_changes(count: int, *, seed: int = 0, without: Collection[str] = ()) -> tuple[Change, ...]:
    """Draw changes of all kinds.

    Every other one is a second photo as people take it: from another place, in slightly other light, with
    noise, of a part only, easy, medium and hard in turn. Those between change one thing each, so that the
    table shows what an extractor cannot bear.

    Parameters
    ----------
    count : int
    seed : int
        Others give other changes of the same mixture.
    without : collection of str
        Kinds that these photos never go through: "rotation" where the camera is never turned.

    Returns
    -------
    tuple[Change, ...]

    Raises
    ------
    OptionError
        If there is no kind of that name, or none is left.

    Examples
    --------
    >>> from tiepoint.evaluation.tune import draw_changes
    >>> [change.name for change in draw_changes(4)]
    ['second photo 1, easy', 'viewpoint 1, 22 degrees', 'second photo 2, medium', 'rotation 1, 221 degrees']
    """
    for kind in without:
        if kind not in KINDS:
            raise OptionError(f"there is no kind of change {kind!r}; {nearest(kind, list(KINDS))}")
    singles = [draw for kind, draw in _SINGLES if kind not in without]
    combined = [0] if "second photo" in without else [1, 2, 3]
    if not singles and combined == [0]:
        raise OptionError("no kind of change is left; leave out fewer")
    turns, levels = cycle(singles), cycle(combined)
    rng = np.random.default_rng(seed)
    numbers: dict[str, int] = {}
    changes = []
    for k in range(count):
        level = next(levels) if k % 2 == 0 or not singles else 0
        drawn = _second_photo(rng, level, "rotation" not in without) if level else next(turns)(rng)
        kind, words = drawn["kind"], drawn.pop("words")
        numbers[kind] = numbers.get(kind, 0) + 1
        changes.append(Change(name=f"{kind} {numbers[kind]}, {words}", seed=seed, **drawn))
    return tuple(changes)


def _viewpoint(rng: np.random.Generator) -> Parameters:
    tilt = round(rng.uniform(20, 65))
    return _one("viewpoint", tilt, f"{tilt} degrees", tilt=tilt, towards=_any_angle(rng))


def _rotation(rng: np.random.Generator) -> Parameters:
    roll = _any_angle(rng)
    return _one("rotation", roll, f"{roll} degrees", roll=roll)


def _quarter_turn(rng: np.random.Generator) -> Parameters:
    roll = int(rng.choice([90, 180, 270]))
    return _one("rotation", roll, f"{roll} degrees", roll=roll)


def _zoom_in(rng: np.random.Generator) -> Parameters:
    zoom = round(rng.uniform(1.5, 3), 1)
    return _one("zoom in", zoom, f"{zoom} times", zoom=zoom, **_aim(rng, 0.3))


def _zoom_out(rng: np.random.Generator) -> Parameters:
    zoom = round(rng.uniform(1.5, 3), 1)
    return _one("zoom out", zoom, f"{zoom} times", zoom=1 / zoom)


def _overlap(rng: np.random.Generator) -> Parameters:
    field = round(rng.uniform(0.25, 0.5), 2)
    aim = field / 2 if rng.random() < 0.5 else 1 - field / 2
    return _one("overlap", field, f"{100 * field:.0f} % of the width", field=field, aim_x=aim)


def _blur(rng: np.random.Generator) -> Parameters:
    blur = round(rng.uniform(1, 3.5), 1)
    return _one("blur", blur, f"{blur} pixels", blur=blur)


def _noise(rng: np.random.Generator) -> Parameters:
    noise = round(rng.uniform(8, 30))
    return _one("noise", noise, f"{noise} gray levels", noise=noise)


def _jpeg(rng: np.random.Generator) -> Parameters:
    jpeg = round(rng.uniform(8, 40))
    return _one("jpeg", jpeg, f"quality {jpeg}", jpeg=jpeg)


def _light(rng: np.random.Generator) -> Parameters:
    stops = round(rng.uniform(0.7, 2), 1) * rng.choice([-1, 1])
    # Half of it by the exposure, which clips, half by the tone curve.
    light = {"gain": 2 ** (stops / 2), "gamma": 2 ** (-stops / 3), "contrast": rng.uniform(0.6, 1.2)}
    return _one("light", stops, f"{stops:+.1f} stops", **light)


def _shadow(rng: np.random.Generator) -> Parameters:
    depth, kind = round(rng.uniform(0.5, 0.9), 2), str(rng.choice(["smooth", "one-sided"]))
    return _one("shadow", depth, f"{kind}, {100 * depth:.0f} %", shadow=depth, shadow_kind=kind)


_SINGLES: list[tuple[str, Callable[[np.random.Generator], Parameters]]] = [
    ("viewpoint", _viewpoint),
    ("rotation", _rotation),
    ("zoom in", _zoom_in),
    ("light", _light),
    ("overlap", _overlap),
    ("noise", _noise),
    ("viewpoint", _viewpoint),
    ("zoom out", _zoom_out),
    ("shadow", _shadow),
    ("rotation", _quarter_turn),
    ("blur", _blur),
    ("jpeg", _jpeg),
]


def _second_photo(rng: np.random.Generator, level: int, turned: bool) -> Parameters:
    """Combine what comes together when somebody photographs a place again; all of it grows with the level."""
    words = ("easy", "medium", "hard")[level - 1]
    turns = turned and rng.random() < 0.25  # one camera in four is held upright, or on its head
    share = (0.8, 0.65, 0.5)[level - 1]
    stops = rng.uniform(-0.4, 0.4) * level
    return _one(
        "second photo",
        level,
        f"{words}{', turned' if turns else ''}",
        tilt=rng.uniform(15, 20) * level,
        towards=_any_angle(rng),
        roll=rng.normal(0, 3 * level) + (int(rng.choice([90, 180, 270])) if turns else 0),
        zoom=2 ** (rng.uniform(-0.35, 0.35) * level),
        aim_x=0.5 + rng.choice([-1, 1]) * (1 - share) / 2,
        aim_y=rng.uniform(0.4, 0.6),
        field=share,
        blur=rng.uniform(0.3, 0.6) * level,
        gain=2 ** (stops / 2),
        gamma=2 ** (-stops / 3),
        contrast=1 + rng.uniform(-0.1, 0.1) * level,
        shadow=rng.uniform(0.1, 0.25) * level,
        shadow_kind=str(rng.choice(["smooth", "one-sided"])),
        noise=rng.uniform(2, 4) * level,
        jpeg=round(rng.uniform(95, 100) - 15 * level),
    )


def _one(kind: str, strength: float, words: str, **parameters: Any) -> Parameters:
    return {"kind": kind, "strength": float(strength), "words": words, **parameters}


def _aim(rng: np.random.Generator, reach: float) -> Parameters:
    x, y = rng.uniform(0.5 - reach, 0.5 + reach, 2)
    return {"aim_x": x, "aim_y": y}


def _any_angle(rng: np.random.Generator) -> int:
    return int(rng.integers(0, 360))
