"""GIF: its first frame."""

from __future__ import annotations

from PIL.GifImagePlugin import GifImageFile

from tiepoint.images.convert import to_pixels
from tiepoint.images.limits import Limits, RefusedError
from tiepoint.images.pillow import Decoded, loaded, opened

_MAX_BLOCKS = 1 << 16  # before the first frame
_MAX_PIECES = 1 << 20  # of a block, up to 255 bytes each


def decode(data: bytes, limits: Limits) -> Decoded:
    """Decode the first frame of a GIF.

    A frame that reaches out of its canvas makes the canvas larger, within ``max_pixels``; around one
    that is smaller than the canvas there is transparency or the first colour, as Pillow has it.
    """
    with opened(GifImageFile, _first_frame(data, limits), limits) as picture:
        return Decoded(pixels=to_pixels(loaded(picture)))


def _first_frame(data: bytes, limits: Limits) -> bytes:
    """Return a GIF of only that frame: no comments, no animation, no later frame."""
    at = 13
    if len(data) < at:
        raise limits.cut_short(rescue=False)
    canvas = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    limits.check_size(*canvas)
    if data[10] & 128:
        at += 3 << ((data[10] & 7) + 1)
    colours = data[13:at]
    control = b""
    for _ in range(_MAX_BLOCKS):
        kind = data[at : at + 1]
        if not kind:
            raise limits.cut_short(rescue=False)
        if kind == b";":
            raise RefusedError("this GIF file has no picture in it")
        if kind == b"!":
            end = _end_of_blocks(data, at + 2)
            block = data[at:end]
            if block[1:3] == b"\xf9\x04" and len(block) >= 8:
                # Only whether and which colour is transparent: what follows the frame does not matter.
                control = b"!\xf9\x04" + bytes([block[3] & 1, 0, 0, block[6]]) + b"\0"
            at = end
        elif kind == b",":
            break
        else:
            at += 1  # junk between blocks, which Pillow forgives too
    else:
        raise RefusedError("this GIF file has no picture in it; it is damaged")
    frame = data[at : at + 10]
    if len(frame) < 10:
        raise limits.cut_short(rescue=False)
    left, top, width, height = (int.from_bytes(frame[i : i + 2], "little") for i in (1, 3, 5, 7))
    if not width or not height:
        raise RefusedError(f"its first frame claims {width}x{height} pixels, which is no picture")
    size = max(canvas[0], left + width), max(canvas[1], top + height)
    if size != canvas and max(size) > 65535:
        raise RefusedError("this GIF file is damaged: its first frame lies outside of its canvas")
    limits.check_size(*size)
    start = at
    at += 10 + (3 << ((frame[9] & 7) + 1) if frame[9] & 128 else 0) + 1
    end = _end_of_blocks(data, at)
    if end > len(data):
        raise limits.cut_short(rescue=False)
    head = data[:6] + b"".join(side.to_bytes(2, "little") for side in size) + data[10:13]
    return b"".join([head, colours, control, data[start:end], b";"])


def _end_of_blocks(data: bytes, at: int) -> int:
    """Return where the blocks that begin at ``at`` end; more than the length of a file that is cut short."""
    for _ in range(_MAX_PIECES):
        if at >= len(data):
            break
        length = data[at]
        at += 1 + length
        if not length:
            return at
    return len(data) + 1
