"""The lines of Python that make again what a page shows, as far as the page knows how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from tiepoint.types import Features, Image, MatchResult

_IMPORT = "import tiepoint as tp"
# Besides the options, settings hold what ran: no option is called so.
_NO_OPTIONS = ("name", "version", "weights")
# What is looked for unless a model is asked for.
_USUAL_MODEL = "fundamental"


def result_lines(result: MatchResult) -> list[str]:
    r"""Return statements that make a result; a comment in their place, if files or method are not known.

    Every option is in them, so that they still give the same where a default is another one.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.plotting.pages.view.origin import result_lines
    >>> photos = [tp.Image(pixels=np.zeros((48, 64), np.uint8), path=f"photos/{name}.jpg") for name in "ab"]
    >>> result = tp.match(*photos, extractor="orb", max_keypoints=500)
    >>> print("\n".join(result_lines(result)))  # doctest: +ELLIPSIS
    import tiepoint as tp
    from tiepoint.extractors import get_extractor
    from tiepoint.matchers import get_matcher
    <BLANKLINE>
    extractor = get_extractor(
        "orb", max_keypoints=500, max_size=None, ...
    )
    matcher = get_matcher("nearest", cross_check=True, ratio=0.8, max_distance=None, ratio_both=False)
    result = tp.match("a.jpg", "b.jpg", extractor=extractor, matcher=matcher)
    """
    files = [_file(image) for image in (result.image0, result.image1)]
    method = result.methods[0] if len(result.methods) == 1 else {}
    extractor = _call("get_extractor", method.get("extractor"), method.get("settings"))
    matcher = method.get("matcher", {})
    matcher = _call("get_matcher", matcher.get("name"), matcher)
    if extractor is None or matcher is None or None in files:
        return [_IMPORT, "# result is what this page shows: the MatchResult that tp.match gave."]
    words = [*filter(None, files), "extractor=extractor", "matcher=matcher"]
    if result.geometry is None:
        words.append("verify=False")
    elif result.geometry and result.geometry.model != _USUAL_MODEL:
        words.append(f"model={_literal(result.geometry.model)}")
    return [
        _IMPORT,
        "from tiepoint.extractors import get_extractor",
        "from tiepoint.matchers import get_matcher",
        "",
        _statement("extractor", extractor),
        _statement("matcher", matcher),
        _statement("result", ("tp.match", words)),
    ]


def features_lines(image: Image, features: Features) -> list[str]:
    """Return statements that extract features again, as :func:`result_lines` do a result."""
    file = _file(image)
    call = _call("tp.extract", features.extractor, features.settings)
    if file is None or call is None:
        return [_IMPORT, "# features is what this page shows: the Features that tp.extract gave."]
    name, words = call
    return [_IMPORT, "", _statement("features", (name, [file, *words]))]


def _file(image: Image) -> str | None:
    """Return the name of a photo's file as Python writes it, without its folder."""
    name = None if image.path is None else PurePath(image.path).name
    return _literal(name) if name else None


def _call(
    function: str, name: str | None, settings: Mapping[str, Any] | None
) -> tuple[str, list[str]] | None:
    """Return a call that builds a method; None if what it was built with is not known."""
    if not name or not settings:
        return None
    options = {key: value for key, value in settings.items() if key not in _NO_OPTIONS}
    if not all(key.isidentifier() and _is_plain(value) for key, value in options.items()):
        return None
    return function, [_literal(name), *(f"{key}={_literal(value)}" for key, value in options.items())]


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _literal(value: Any) -> str:
    """Return a value as Python writes it, text in double quotes where that takes no escapes."""
    written = repr(value)
    plain = isinstance(value, str) and not set(written[1:-1]) & set("'\"")
    return f'"{written[1:-1]}"' if plain else written


def _statement(name: str, call: tuple[str, list[str]], most: int = 110) -> str:
    """Return an assignment in one line, or in three if it is long."""
    function, words = call
    inner = ", ".join(words)
    line = f"{name} = {function}({inner})"
    return line if len(line) <= most else f"{name} = {function}(\n    {inner}\n)"
