"""PNM: PBM, PGM, PPM (plain and binary) and PFM. So simple that it is read here.

Pillow goes over the values one by one in Python where the largest is neither 255 nor 65535, and brings
16-bit colour down to 8 bits.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.images.convert import to_16_bit
from tiepoint.images.limits import Limits, RefusedError
from tiepoint.images.pillow import Decoded

_TOKEN = re.compile(rb"(?:\s|#[^\r\n]*[\r\n])*([^\s#]{1,32})")
_BLOCK = 1 << 20
_MAX_HEADER = 1 << 16


def decode(data: bytes, limits: Limits) -> Decoded:
    """Decode a PNM.

    Values are scaled so that the stated largest becomes 255, or 65535 where it is over 255; larger ones
    are cut off, as Pillow does. With ``allow_truncated`` the missing end is black.
    """
    kind = data[1:2]
    numbers, at = _header(data, 2 if kind in b"14" else 3, limits)
    width, height = _integer(numbers[0]), _integer(numbers[1])
    limits.check_size(width, height)
    shape = (height, width, 3) if kind in b"36F" else (height, width)
    count = int(np.prod(shape))
    if kind in b"fF":
        return Decoded(pixels=_floats(data, at, shape, numbers[2], limits))
    if kind == b"4":
        count = height * ((width + 7) // 8)
        packed = _samples(data, at, count, height, np.dtype(np.uint8), limits, fill=b"\xff")
        bits = np.unpackbits(packed.reshape(height, -1), axis=1, count=width)
        return Decoded(pixels=np.where(bits == 0, np.uint8(255), np.uint8(0)))
    if kind == b"1":
        values = _plain(data, at, count, height, limits, bits=True)
        return Decoded(pixels=np.where(values == 0, np.uint8(255), np.uint8(0)).reshape(shape))
    most = _integer(numbers[2])
    if not 1 <= most <= 65535:
        raise RefusedError(f"its header claims {most} as the largest value, but it must be from 1 to 65535")
    dtype = np.dtype(np.uint8 if most < 256 else ">u2")
    if kind in b"23":
        values = _plain(data, at, count, height, limits)
    else:
        values = _samples(data, at, count, height, dtype, limits)
    return Decoded(pixels=_scaled(values, most).reshape(shape))


def _header(data: bytes, count: int, limits: Limits) -> tuple[list[bytes], int]:
    tokens: list[bytes] = []
    at = 2
    for _ in range(count):
        match = _TOKEN.match(data, at, _MAX_HEADER)
        if match is None:
            if len(data) > _MAX_HEADER:
                raise RefusedError("this PNM file is damaged: its header does not end")
            raise limits.cut_short(rescue=False)
        tokens.append(match[1])
        at = match.end()
    return tokens, at + 1  # one white space ends the header


def _integer(token: bytes) -> int:
    if not re.fullmatch(rb"-?\d{1,10}", token):
        raise RefusedError("this PNM file is damaged: its header has something else where a number must be")
    return int(token)


def _samples(
    data: bytes, at: int, count: int, rows: int, dtype: np.dtype[Any], limits: Limits, fill: bytes = b"\0"
) -> NDArray[Any]:
    size = count * dtype.itemsize
    body = data[at : at + size]
    if len(body) < size:
        limits.check_rest(len(body), size, rows)
        body = body.ljust(size, fill)
    return np.frombuffer(body, dtype)


def _plain(
    data: bytes, at: int, count: int, rows: int, limits: Limits, *, bits: bool = False
) -> NDArray[Any]:
    """Read numbers written as text; the digits of a plain PBM need no space between them."""
    least = count if bits else 2 * count - 1
    if len(data) - at < least:  # so far it is not known how much room a value takes
        limits.check_rest(min(count, max(0, len(data) - at)), count, rows)
    out = np.full(count, int(bits), np.uint16)  # black is 1 in a PBM
    done, rest = 0, b""
    while done < count and (at < len(data) or rest):
        block = rest + data[at : at + _BLOCK]
        at += _BLOCK
        rest = b""
        if at < len(data):  # do not cut a number or a comment in two
            end = block.rfind(b"\n") + 1 or max(block.rfind(b" "), block.rfind(b"\t")) + 1
            if not end:
                if len(block) > 2 * _BLOCK:
                    raise RefusedError("this PNM file is damaged: it has a line without an end")
                rest = block
                continue
            block, rest = block[:end], block[end:]
        block = re.sub(rb"#[^\r\n]*", b"", block)
        tokens = block.split()
        if bits:
            joined = b"".join(tokens)
            values = np.frombuffer(joined, np.uint8) - np.uint8(48)
            wrong = bool((values > 1).any())
        else:
            # Five digits hold 65535; what has six is caught as a number.
            joined = b"".join(tokens)
            wrong = max(map(len, tokens), default=0) > 6 or not (joined.isdigit() or not joined)
            values = np.zeros(0, np.int64) if wrong else np.array(tokens, "S6").astype(np.int64)
            wrong = wrong or bool((values > 65535).any())
        if wrong:
            raise RefusedError("this PNM file is damaged: it has something else where a value must be")
        values = values[: count - done]
        out[done : done + len(values)] = values
        done += len(values)
    if done < count:
        limits.check_rest(done, count, rows)
    return out


def _scaled(values: NDArray[Any], most: int) -> NDArray[Any]:
    top, dtype = (255, np.uint8) if most < 256 else (65535, np.uint16)
    if most == top:
        whole: NDArray[Any] = np.minimum(values, top).astype(dtype)
        return whole
    every = np.arange(1 << (8 if most < 256 else 16))
    table = np.minimum((2 * every * top + most) // (2 * most), top).astype(dtype)  # halves go up
    scaled: NDArray[Any] = table[np.minimum(values, len(table) - 1)]
    return scaled


def _floats(data: bytes, at: int, shape: tuple[int, ...], scale: bytes, limits: Limits) -> NDArray[np.uint16]:
    if not re.fullmatch(rb"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", scale) or float(scale) == 0:
        raise RefusedError("this PFM file is damaged: its scale is no number, or 0")
    dtype = np.dtype("<f4" if float(scale) < 0 else ">f4")
    values = _samples(data, at, int(np.prod(shape)), shape[0], dtype, limits)
    return to_16_bit(values.reshape(shape)[::-1])  # the bottom row comes first
