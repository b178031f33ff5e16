from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest

from tiepoint import OptionError
from tiepoint.options import Options, option


@dataclass(frozen=True, kw_only=True)
class Soup(Options):
    spoons: int = option(2, "how many", at_least=1, at_most=9)
    heat: float | None = option(0.5, "how hot", above=0)
    kind: Literal["leek", "pea"] = option("pea", "which")
    size: Literal[1, 2] = option(1, "how large")
    salted: bool = option(True, "with salt")
    note: str = option("", "a word")


def test_values_take_the_type_of_the_option() -> None:
    soup = Soup(spoons=np.int64(3), heat=1)  # type: ignore[arg-type]
    assert soup.settings() == {"spoons": 3, "heat": 1.0, "kind": "pea", "size": 1, "salted": True, "note": ""}
    assert type(soup.heat) is float
    assert Soup(heat=1) == Soup(heat=1.0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"spoons": 0}, "spoons must be at least 1, not 0"),
        ({"spoons": 10}, "spoons must be at most 9, not 10"),
        ({"spoons": 2.5}, "spoons must be integer, not 2.5"),
        ({"spoons": True}, "spoons must be integer, not True"),
        ({"spoons": "3"}, "spoons must be integer, not '3'"),
        ({"heat": 0}, "heat must be above 0, not 0"),
        ({"heat": float("nan")}, "heat must be a finite number | none, not nan"),
        ({"kind": "fish"}, "kind must be leek | pea, not 'fish'"),
        ({"size": True}, "size must be 1 | 2, not True"),
        ({"salted": 1}, "salted must be true | false, not 1"),
        ({"spoon": 1}, "Soup has no option 'spoon'; did you mean 'spoons'?"),
        ({"zzz": 1}, "Soup has no option 'zzz'; there is: heat, kind"),
    ],
)
def test_wrong_options_are_refused_in_words(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError) as error:
        Soup.build(options)
    assert words in str(error.value)


def test_words_of_the_command_line() -> None:
    words = ["spoons=3", "heat=none", "kind=leek", "size=2", "salted=no", "note=a=b"]
    assert Soup.parse(words) == {
        "spoons": 3, "heat": None, "kind": "leek", "size": 2, "salted": False, "note": "a=b",
    }  # fmt: skip
    for word, words_of_error in (
        ("spoons", "written name=value"),
        ("spoons=x", "spoons must be integer, not 'x'"),
        ("salted=perhaps", "salted must be true or false"),
        ("size=3", "size must be 1 | 2"),
        ("spons=3", "did you mean 'spoons'"),
    ):
        with pytest.raises(OptionError, match=words_of_error.replace("|", r"\|")):
            Soup.parse([word])


def test_facts_are_the_help() -> None:
    facts = {fact.name: fact for fact in Soup.facts()}
    assert facts["heat"].type == "number | none"
    assert facts["heat"].doc == "how hot"
    assert facts["spoons"].default == 2
