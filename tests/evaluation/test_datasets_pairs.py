"""Lists of pairs with labels."""

from __future__ import annotations

import json
from pathlib import Path

import PIL.Image
import pytest

from tiepoint.errors import ReadError
from tiepoint.evaluation.datasets import LabelTruth, load_dataset, load_pairs

NAMES = ("a.png", "b.png", "my house.png", "old/c, d.png", 'old/"e".png', "#1.png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Photos, some with odd names."""
    for name in NAMES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        PIL.Image.new("L", (4, 3)).save(tmp_path / name)
    return tmp_path


def read(folder: Path, name: str, text: str) -> list[tuple[str, str, bool | None]]:
    (folder / name).write_bytes(text.encode())
    found = []
    for pair in load_dataset(folder / name):
        assert isinstance(pair.truth, LabelTruth)
        photos = [path.relative_to(folder).as_posix() for path in (pair.photo0, pair.photo1)]
        found.append((photos[0], photos[1], pair.truth.same))
    return found


def refused(folder: Path, name: str, text: str, words: str) -> None:
    with pytest.raises(ReadError, match=words) as told:
        read(folder, name, text)
    assert str(folder) in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("label", "same"),
    [
        ("true", True), ("TRUE", True), ("yes", True), ("1", True), ("same", True), ("match", True),
        ("false", False), ("No", False), ("0", False), ("different", False),
        ("partly", None), ("unknown", None), ("?", None), ('""', None),
    ],
)  # fmt: skip
def test_labels_are_words(label: str, same: bool | None, folder: Path) -> None:
    assert read(folder, "list.txt", f"a.png b.png {label}") == [("a.png", "b.png", same)]
    assert read(folder, "list.csv", f"a.png,b.png,{label}") == [("a.png", "b.png", same)]


def test_plain_text(folder: Path) -> None:
    text = (
        '\ufeffphoto0 photo1\r\n# mine\r\n\r\n  a.png\t b.png \r\n"my house.png" "old/c, d.png"   false\r\n'
    )
    assert read(folder, "list.txt", text) == [
        ("a.png", "b.png", None),
        ("my house.png", "old/c, d.png", False),
    ]
    quoted = '"old/""e"".png" "#1.png" yes'
    assert read(folder, "list.txt", quoted) == [('old/"e".png', "#1.png", True)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.csv", 'image1,image2,label\nmy house.png,"old/c, d.png",true\na.png,b.png,\n'),
        ("list.csv", 'my house.png, "old/c, d.png", true\n\n# rest\na.png,b.png\n'),
        ("list.csv", "Photo_0;Photo_1;same\nmy house.png;old/c, d.png;true\na.png;b.png\n"),
        ("list.CSV", 'my house.png,"old/c, d.png",true\r\na.png,b.png\r\n'),
        ("list.tsv", "my house.png\told/c, d.png\ttrue\na.png\tb.png\n"),
    ],
)
def test_tables_with_names_of_any_kind(name: str, text: str, folder: Path) -> None:
    assert read(folder, name, text) == [("my house.png", "old/c, d.png", True), ("a.png", "b.png", None)]


def test_names_of_pairs_are_unique_and_tell_the_folder(folder: Path) -> None:
    (folder / "my list.csv").write_text('a.png,b.png,1\na.png,b.png,0\n"old/c, d.png",a.png,0\n')
    dataset = load_pairs(folder / "my list.csv")
    assert [pair.name for pair in dataset] == ["my list/a-b", "my list/a-b (2)", "old/c, d-a"]
    assert dataset.sequences == ("my list", "old")
    assert dataset.name == "my list"
    assert dataset.notes == ()


def test_photos_may_be_anywhere(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "f.png"
    PIL.Image.new("L", (4, 3)).save(elsewhere)
    (folder / "old" / "list.csv").write_text(f"../a.png,{elsewhere},true\n")
    pair = load_pairs(folder / "old" / "list.csv").pairs[0]
    assert pair.photo0.samefile(folder / "a.png")
    assert pair.photo1 == elsewhere


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "list.txt",
            "a.png",
            "list.txt, line 1: should have two photos and perhaps a label, but has 1 words",
        ),
        (
            "list.txt",
            "a.png b.png\nmy house.png b.png no",
            "line 2: .* 4 words; put names .* quotation marks",
        ),
        ("list.txt", "a.png b.png maybe", "line 1: the label must be true, false or partly, not 'maybe'"),
        ("list.txt", "a.png b.png\n\na.png c.png", "list.txt, line 3: .*c.png: there is no such photo$"),
        ("list.csv", "photo0,photo1\nc.png,b.png", "list.csv, line 2: .*c.png: there is no such photo$"),
        ("list.txt", "a.png old", "old: there is no such photo"),
        ("list.txt", "a.png \0", "there is no such photo"),
        ("list.txt", "a.png " + "x" * 5000, "there is no such photo"),
        ("list.txt", "", "lists no pair"),
        ("list.csv", "photo0,photo1\n", "lists no pair"),
        ("list.csv", 'a.png,"b.png\n', "line 1: "),
        ("list.csv", "a.png,b.png,yes,5", "has 4 words"),
        ("list.csv", "a" * 200_000, "line 1: field larger than"),
    ],
)
def test_what_is_wrong_in_a_list_is_named(name: str, text: str, words: str, folder: Path) -> None:
    refused(folder, name, text, words)


def test_what_is_no_text_is_told(folder: Path) -> None:
    (folder / "list.txt").write_bytes(b"\xff\xfea\0b\0")
    with pytest.raises(ReadError, match=r"list.txt: is no text"):
        load_pairs(folder / "list.txt")
    with pytest.raises(ReadError, match=r"none.txt: there is no such file"):
        load_pairs(folder / "none.txt")
    with pytest.raises(ReadError, match=r"there is none of pairs.json, pairs.csv"):
        load_pairs(folder)


def test_json_with_a_folder_for_each_pair(folder: Path) -> None:
    entries = {
        "church": {"same_scene": True, "note": "easy"},
        "two churches": {"same_scene": False},
        "fresco": {"same_scene": "partly"},
        "unknown": {"same_scene": None},
    }
    for name in entries:
        (folder / name).mkdir()
        for stem, ending in (("1", "png"), ("2", "jpg")):
            PIL.Image.new("L", (4, 3)).save(folder / name / f"{stem}.{ending}")
        (folder / name / "corrs.txt").write_text("1 2 3 4")
    text = json.dumps(entries)
    found = read(folder, "pairs.json", text)
    assert found == [
        ("church/1.png", "church/2.jpg", True),
        ("two churches/1.png", "two churches/2.jpg", False),
        ("fresco/1.png", "fresco/2.jpg", None),
        ("unknown/1.png", "unknown/2.jpg", None),
    ]
    dataset = load_dataset(folder)
    assert [pair.name for pair in dataset] == list(dataset.sequences) == list(entries)
    assert dataset.notes == ("2 of 4 pairs are the same in part, or not labelled.",)
    (folder / "fresco" / "2.jpg").unlink()
    refused(folder, "pairs.json", text, r"fresco/2\.\*: there is no such photo")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[1]", 'should be {"folder": {"same_scene": true}}'),
        ("{}", "lists no pair"),
        ('{"church": true}', "'church' should have \"same_scene\""),
        ('{"church": {"same": true}}', "'church' should have"),
        ('{"church": {"same_scene": "yes"}}', "'church' should have"),
        ('{"church": {"same_scene": 1}}', "'church' should have"),
        ('{"nowhere": {"same_scene": true}}', "nowhere: there is no such folder"),
        ('{"a.png": {"same_scene": true}}', "a.png: cannot be read: not a directory"),
        ('{"\\u0000": {"same_scene": true}}', "cannot be read"),
        ('{"old": {"same_scene": true}}', r"old/1\.\*: there is no such photo"),
    ],
)
def test_json_that_is_none_or_another(text: str, words: str, folder: Path) -> None:
    refused(folder, "pairs.json", text, words)


def test_the_real_pairs(data: Path) -> None:
    dataset = load_dataset(data / "pairs" / "pairs.json")
    entries = json.loads((data / "pairs" / "pairs.json").read_text())
    assert len(dataset) == len(entries) == 13
    for pair in dataset:
        assert isinstance(pair.truth, LabelTruth)
        expected = entries[pair.name]["same_scene"]
        assert pair.truth.same is (None if expected == "partly" else expected)
        assert (pair.photo0.stem, pair.photo1.stem) == ("1", "2")
        assert pair.photo0.parent.name == pair.sequence == pair.name
    assert [pair.name for pair in load_dataset(data / "pairs")] == list(entries)
