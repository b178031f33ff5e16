"""Data sets by name: from a local copy, from the cache, or told what they may have been meant for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evaluation.layouts import refused, sequence
from tiepoint.errors import OptionError, ReadError
from tiepoint.evaluation.datasets import CATALOGUE, load_dataset


def test_a_name_needs_a_local_copy_or_a_download(tmp_path: Path) -> None:
    for name in CATALOGUE:
        with pytest.raises(ReadError, match=f"{name} is not on this machine: name a local copy with root"):
            load_dataset(name, cache_dir=tmp_path)
    with pytest.raises(ReadError, match=r"have it fetched \(1.3 GB\) with download=True"):
        load_dataset("hpatches", cache_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_local_copy_may_be_the_folder_or_the_one_above(tmp_path: Path) -> None:
    folder = tmp_path / "hpatches-sequences-release"
    sequence(folder / "v_wall")
    for root in (folder, tmp_path, str(tmp_path), folder / "v_wall"):
        assert load_dataset("hpatches", root).sequences == ("v_wall",)
    with pytest.raises(ReadError, match=f"{tmp_path}: does not hold strecha: photos with cameras.json"):
        load_dataset("strecha", root=tmp_path)
    with pytest.raises(ReadError, match=r"nothing: does not hold oxford"):
        load_dataset("oxford", root=tmp_path / "nothing")
    # What was asked for by name is read as that, whatever else the folder might be taken for.
    assert load_dataset("oxford", root=folder).name == "oxford"


def test_what_is_in_the_cache_is_read(tmp_path: Path) -> None:
    sequence(tmp_path / "datasets" / "oxford" / "data" / "wall")
    assert load_dataset("oxford", cache_dir=tmp_path).sequences == ("wall",)


def test_names_and_folders_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"folder or list 'hpaches'; did you mean 'hpatches'\? there is"):
        load_dataset("hpaches")
    refused(OptionError, "there is no data set, folder or list", tmp_path / "nothing")
    refused(ReadError, "is laid out as none of the data sets that are read: pairs_cal.*H_1_2", tmp_path)
    sequence(tmp_path / "wall")
    refused(OptionError, "root is the place of a data set that is given by name", tmp_path, root=tmp_path)
    with pytest.raises(OptionError, match="oxford has no option 'max_turn'; it has none"):
        load_dataset(tmp_path, max_turn=5)
    with pytest.raises(OptionError, match="strecha has no option 'keep_large'; there is: max_turn"):
        load_dataset("strecha", cache_dir=tmp_path, keep_large=True)


def test_a_path_object_is_never_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sequence(Path("strecha") / "wall")
    assert load_dataset(Path("strecha")).name == "oxford"
    assert load_dataset("./strecha").name == "oxford"
    with pytest.raises(ReadError, match="strecha is not on this machine"):
        load_dataset("strecha", cache_dir=tmp_path)
