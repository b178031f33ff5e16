from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import ClassVar

import pytest

import tiepoint as tp
from tiepoint import registry
from tiepoint.cli import main_inner
from tiepoint.extractors import EXTRACTORS, Extractor, get_extractor


@dataclass(frozen=True, kw_only=True)
class Foreign(Extractor):
    name: ClassVar[str] = "foreign"


class NotOne:
    pass


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("foreign", f"{__name__}:Foreign", "tiepoint.extractors"),
        EntryPoint("wrong", f"{__name__}:NotOne", "tiepoint.extractors"),
        EntryPoint("gone", "no_such_module:Thing", "tiepoint.extractors"),
        EntryPoint("sift", f"{__name__}:Foreign", "tiepoint.extractors"),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group else [])


@pytest.mark.usefixtures("foreign")
def test_other_packages_add_names_but_take_none() -> None:
    names = EXTRACTORS.names()
    assert names.index("orb") < names.index("foreign")
    assert names.count("sift") == 1
    assert EXTRACTORS.load("sift").__module__.startswith("tiepoint.")
    assert EXTRACTORS.load("foreign").name == "foreign"


@pytest.mark.usefixtures("foreign")
def test_broken_additions_are_told() -> None:
    with pytest.raises(tp.OptionError, match="'wrong' is no subclass of Extractor"):
        EXTRACTORS.load("wrong")
    with pytest.raises(tp.MissingError, match="'gone' of no_such_module:Thing cannot be loaded"):
        EXTRACTORS.load("gone")


@pytest.mark.usefixtures("foreign")
def test_a_broken_addition_does_not_hide_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    main_inner(["methods"])
    out = capsys.readouterr().out
    assert "sift" in out
    assert "foreign" in out
    assert "gone" in out
    main_inner(["methods", "foreign"])
    assert "-o max_keypoints=4096" in capsys.readouterr().out


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(tp.OptionError, match="there is no extractor 'sfit'; did you mean 'sift'"):
        get_extractor("sfit")


def test_objects_pass_and_take_no_options_besides() -> None:
    sift = get_extractor("sift", max_keypoints=7)
    assert get_extractor(sift) is sift
    with pytest.raises(tp.OptionError, match=r"options go to a name, or into the extractor itself: Sift\("):
        get_extractor(sift, upright=True)
    with pytest.raises(
        tp.OptionError, match="extractor is given by its name or as an object of Extractor, not int"
    ):
        get_extractor(5)  # type: ignore[arg-type]
