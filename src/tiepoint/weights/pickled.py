"""The pickle in a checkpoint, read as data: nothing in it is imported, called or built by its own rules.

A pickle is a program for a small stack machine. Python's own machine can be told which names it may import
(``find_class``), but with those alone it can still be made to take gigabytes (a memo slot with a huge
number), to recurse until the process dies, or to change the functions that it was allowed to name. The
state of a network needs about thirty of its instructions. Those are carried out here on dictionaries,
lists, tuples, numbers and strings; a name stays a :class:`Name`, a reference to a storage a
:class:`Stored`, and whatever else comes is refused.
"""

from __future__ import annotations

import io
import pickletools
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MOST_STEPS = 2_000_000
"""Far more instructions than a checkpoint of a hundred thousand tensors has."""

MOST_AXES = 32
LONGEST_NAME = 1000
"""In characters. Each of many tensors may have the same long word in its name."""

# Numbers that differ by a multiple of 2**61 - 1 have one hash: entering many of them takes quadratic time.
_LARGEST_KEY = 1 << 31

_ORDERED_DICT = "collections.OrderedDict"
_TENSOR = "torch._utils._rebuild_tensor_v2"
_PARAMETER = "torch._utils._rebuild_parameter"
_CALLED = (_ORDERED_DICT, _TENSOR, _PARAMETER)
STORAGES = {
    "torch.DoubleStorage": "float64",
    "torch.FloatStorage": "float32",
    "torch.HalfStorage": "float16",
    "torch.BFloat16Storage": "bfloat16",
    "torch.LongStorage": "int64",
    "torch.IntStorage": "int32",
    "torch.ShortStorage": "int16",
    "torch.CharStorage": "int8",
    "torch.ByteStorage": "uint8",
    "torch.BoolStorage": "bool",
}
"""What a storage holds, by the name of its class."""


class RefusedError(Exception):
    """Why it is not read; whoever knows the file's name puts it in front."""


@dataclass(frozen=True)
class Name:
    """What a pickle asks to be imported; it is not."""

    path: str


@dataclass(frozen=True)
class Stored:
    """A reference to a storage: what it holds, by which key it is found, how many numbers it has."""

    kind: str
    key: str
    count: int


@dataclass(frozen=True)
class Tensor:
    """A view of a storage, as the pickle claims it; offset, sizes and strides count numbers, not bytes."""

    storage: Stored
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class _Mark:
    """Where on the stack a list of items begins."""


_MARK = _Mark()


def read_pickle(stream: io.BytesIO) -> tuple[Any, dict[str, Stored]]:
    """Return what the pickle that begins here stands for, and the storages that it refers to, by their keys.

    The stream is then behind it.

    Raises
    ------
    RefusedError
        If it is broken, or asks for anything but dictionaries, lists, tuples, numbers, strings and tensors.
    """
    machine = _Machine()
    try:
        while True:
            machine.spend()
            code = _exactly(stream, 1)
            if code == _STOP:
                return machine.result(), machine.stored
            if code not in _STEPS:
                raise RefusedError(f"asks for {_shown(code)}, an instruction that no weights need")
            _STEPS[code](machine, stream)
    except (ValueError, LookupError, TypeError, AttributeError, struct.error, EOFError) as error:
        # A number or a string that goes on behind the end, a stack that does not hold what is needed.
        raise RefusedError("is broken: its list of tensors makes no sense") from error


def _exactly(stream: io.BytesIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError("cut off")
    return data


def _number(stream: io.BytesIO, layout: str) -> Any:
    return struct.unpack(layout, _exactly(stream, struct.calcsize(layout)))[0]


def _text(stream: io.BytesIO, layout: str, encoding: str) -> str:
    return _exactly(stream, max(_number(stream, layout), 0)).decode(encoding, "surrogatepass")


def _line(stream: io.BytesIO) -> str:
    line = stream.readline(LONGEST_NAME)
    if not line.endswith(b"\n"):
        raise EOFError("a name without an end")
    return line[:-1].decode()


def _shown(code: bytes) -> str:
    return next(
        (known.name for known in pickletools.opcodes if known.code.encode("latin-1") == code), repr(code)
    )


class _Machine:
    """The stack, and the slots for what is used again."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._slots: dict[int, Any] = {}
        self._left = MOST_STEPS
        self.stored: dict[str, Stored] = {}

    def spend(self) -> None:
        """Count a step; their number bounds the time and the memory that a pickle can take."""
        if not self._left:
            raise RefusedError(f"has more than {MOST_STEPS} instructions and entries")
        self._left -= 1

    def result(self) -> Any:
        (only,) = self._stack
        return only

    def push(self, value: Any) -> None:
        """Put a value on top of the stack."""
        self._stack.append(value)

    def mark(self) -> None:
        """Note that the items of a list begin."""
        self._stack.append(_MARK)

    def items(self) -> list[Any]:
        """Take off what lies above the last mark, and the mark."""
        at = len(self._stack) - 1
        while self._stack[at] is not _MARK:
            at -= 1
            if at < 0:
                raise ValueError("there is no mark")
        items = self._stack[at + 1 :]
        del self._stack[at:]
        return items

    def last(self, count: int) -> list[Any]:
        """Take off so many values."""
        items = self._stack[-count:]
        if len(items) < count:
            raise ValueError("the stack is too short")
        del self._stack[-count:]
        return items

    def keep(self, slot: int | None) -> None:
        """Keep what is on top for later use; None: in the next slot."""
        self._slots[len(self._slots) if slot is None else slot] = self._stack[-1]

    def fetch(self, slot: int) -> None:
        """Put what was kept on top."""
        self._stack.append(self._slots[slot])

    def enter(self, items: list[Any]) -> None:
        """Put keys and values into the dictionary below them."""
        target = self._stack[-1]
        if type(target) is not dict or len(items) % 2:
            raise ValueError("no dictionary, or a key without a value")
        for key, value in zip(items[::2], items[1::2], strict=True):
            _enter(target, key, value)

    def append(self, items: list[Any]) -> None:
        """Put items into the list below them."""
        target = self._stack[-1]
        if type(target) is not list:
            raise ValueError("no list")
        target.extend(items)

    def name(self, module: Any, name: Any) -> None:
        """Put a name on top, if it is one that weights have."""
        if type(module) is not str or type(name) is not str:
            raise ValueError("a name is made of two strings")
        path = f"{module}.{name}"
        if path not in _CALLED and path not in STORAGES:
            raise RefusedError(f"asks for {path[:80]!r}, which is no part of a network's weights")
        self._stack.append(Name(path))

    def call(self) -> None:
        """Make what one of the few known functions makes."""
        called, arguments = self.last(2)
        if not isinstance(called, Name) or called.path not in _CALLED or type(arguments) is not tuple:
            raise RefusedError("calls what is no function for tensors")
        if called.path == _ORDERED_DICT:
            self._stack.append(self._ordered(arguments[0] if arguments else ()))
        else:
            self._stack.append(_tensor(called.path, arguments))

    def _ordered(self, pairs: Any) -> dict[Any, Any]:
        """Make a dictionary of pairs, as Python 2 wrote them; one list can be the pairs of many."""
        made: dict[Any, Any] = {}
        for key, value in pairs:
            self.spend()
            _enter(made, key, value)
        return made

    def state(self) -> None:
        """Drop the attributes of an OrderedDict: torch notes versions of modules there."""
        self._stack.pop()
        if type(self._stack[-1]) is not dict:
            raise RefusedError("sets attributes of what is no dictionary")

    def refer(self) -> None:
        """Put a storage on top."""
        storage = _storage(self._stack.pop())
        if self.stored.setdefault(storage.key, storage) != storage:
            raise RefusedError("has two storages of one name")
        self._stack.append(storage)


def _enter(target: dict[Any, Any], key: Any, value: Any) -> None:
    if type(key) not in (str, int, bool):
        raise RefusedError("has a key that is neither a string nor a number")
    if type(key) is str and len(key) > LONGEST_NAME:
        raise RefusedError(f"has a key of {len(key)} letters, more than {LONGEST_NAME}")
    if type(key) is int and abs(key) > _LARGEST_KEY:
        raise RefusedError(f"has a number beyond {_LARGEST_KEY} for a key")
    target[key] = value


def _tensor(path: str, arguments: tuple[Any, ...]) -> Tensor:
    if path == _PARAMETER:
        if not isinstance(arguments[0], Tensor):
            raise ValueError("a parameter is made of a tensor")
        return arguments[0]
    storage, offset, size, stride = arguments[:4]
    counts = (offset, *size, *stride)
    if not isinstance(storage, Stored) or type(size) is not tuple or type(stride) is not tuple:
        raise ValueError("a tensor is made of a storage and two tuples")
    if len(size) != len(stride) or len(size) > MOST_AXES:
        raise ValueError("as many sizes as strides, and not more than arrays have axes")
    if any(type(count) is not int or abs(count) >= 1 << 62 for count in counts):
        raise ValueError("sizes and strides are whole numbers that a machine can have")
    return Tensor(storage, offset, size, stride)


def _storage(reference: Any) -> Stored:
    # ("storage", class, key, device, count), and in the older format what part of it a view is of.
    word, kind, key, _, count, *rest = reference
    if word != "storage" or not isinstance(kind, Name) or kind.path not in STORAGES:
        raise RefusedError("refers to something else than storages of numbers")
    if type(key) is not str or type(count) is not int or rest not in ([], [None]):
        raise RefusedError("refers to a storage in a way that is not known here")
    return Stored(STORAGES[kind.path], key, count)


_STOP = b"."
_STEPS: dict[bytes, Callable[[_Machine, io.BytesIO], None]] = {
    # What a pickle is written in, and how it is cut into pieces
    b"\x80": lambda _, stream: _number(stream, "B"),
    b"\x95": lambda _, stream: _number(stream, "<Q"),
    # Values
    b"N": lambda machine, _: machine.push(None),
    b"\x88": lambda machine, _: machine.push(True),
    b"\x89": lambda machine, _: machine.push(False),
    b"J": lambda machine, stream: machine.push(_number(stream, "<i")),
    b"K": lambda machine, stream: machine.push(_number(stream, "B")),
    b"M": lambda machine, stream: machine.push(_number(stream, "<H")),
    b"\x8a": lambda machine, stream: machine.push(
        int.from_bytes(_exactly(stream, _number(stream, "B")), "little", signed=True)
    ),
    b"G": lambda machine, stream: machine.push(_number(stream, ">d")),
    b"X": lambda machine, stream: machine.push(_text(stream, "<I", "utf-8")),
    b"\x8c": lambda machine, stream: machine.push(_text(stream, "B", "utf-8")),
    b"T": lambda machine, stream: machine.push(_text(stream, "<i", "latin-1")),  # of Python 2
    b"U": lambda machine, stream: machine.push(_text(stream, "B", "latin-1")),
    # Containers
    b"}": lambda machine, _: machine.push({}),
    b"]": lambda machine, _: machine.push([]),
    b")": lambda machine, _: machine.push(()),
    b"(": lambda machine, _: machine.mark(),
    b"t": lambda machine, _: machine.push(tuple(machine.items())),
    b"\x85": lambda machine, _: machine.push(tuple(machine.last(1))),
    b"\x86": lambda machine, _: machine.push(tuple(machine.last(2))),
    b"\x87": lambda machine, _: machine.push(tuple(machine.last(3))),
    b"s": lambda machine, _: machine.enter(machine.last(2)),
    b"u": lambda machine, _: machine.enter(machine.items()),
    b"a": lambda machine, _: machine.append(machine.last(1)),
    b"e": lambda machine, _: machine.append(machine.items()),
    # What is used again
    b"q": lambda machine, stream: machine.keep(_number(stream, "B")),
    b"r": lambda machine, stream: machine.keep(_number(stream, "<I")),
    b"\x94": lambda machine, _: machine.keep(None),
    b"h": lambda machine, stream: machine.fetch(_number(stream, "B")),
    b"j": lambda machine, stream: machine.fetch(_number(stream, "<I")),
    # Tensors
    b"c": lambda machine, stream: machine.name(_line(stream), _line(stream)),
    b"\x93": lambda machine, _: machine.name(*machine.last(2)),
    b"R": lambda machine, _: machine.call(),
    b"b": lambda machine, _: machine.state(),
    b"Q": lambda machine, _: machine.refer(),
}
