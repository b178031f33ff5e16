from __future__ import annotations

import pytest

from tiepoint.images.limits import MAX_PIXELS, Limits, RefusedError


@pytest.mark.parametrize(
    ("limit", "size", "expected"),
    [
        (100, (1024, 683), "1024x683 pixels (699,392 pixels), more than the limit of 100 pixels"),
        (MAX_PIXELS, (50000, 50000), "(2,500 megapixels), more than the limit of 178 megapixels"),
        (12_500_000, (5000, 5000), "(25 megapixels), more than the limit of 12.5 megapixels"),
        (2_000_000, (2_000_001, 1), "(2,000,001 pixels), more than the limit of 2,000,000 pixels"),
    ],
)
def test_sizes_are_said_as_a_person_says_them(limit: int, size: tuple[int, int], expected: str) -> None:
    with pytest.raises(RefusedError) as caught:
        Limits(max_pixels=limit).check_size(*size)
    assert expected in str(caught.value)
    Limits(max_pixels=limit).check_size(limit, 1)


def test_what_a_picture_may_unpack_to() -> None:
    usual = Limits(max_pixels=MAX_PIXELS)
    usual.check_unpacked(3 * MAX_PIXELS)
    usual.check_unpacked(MAX_PIXELS, slowness=3)
    Limits(max_pixels=10).check_unpacked(3 * MAX_PIXELS)  # a lower limit on the size leaves this alone
    for size, slowness in ((3 * MAX_PIXELS + 1, 1), (MAX_PIXELS + 1, 3)):
        with pytest.raises(RefusedError, match=f"raise max_pixels to {MAX_PIXELS + 1}"):
            usual.check_unpacked(size, slowness=slowness)
        Limits(max_pixels=MAX_PIXELS + 1).check_unpacked(size, slowness=slowness)


@pytest.mark.parametrize(
    ("there", "whole", "rows", "enough"),
    [
        (10, 1000, 1000, True),
        (9, 1000, 1000, False),
        (100, 1000, 10, True),
        (99, 1000, 10, False),
        (0, 9, 9, False),
    ],
)
def test_a_row_and_a_hundredth_must_be_there(there: int, whole: int, rows: int, enough: bool) -> None:
    for allow in (False, True):
        limits = Limits(max_pixels=MAX_PIXELS, allow_truncated=allow)
        if allow and enough:
            limits.check_rest(there, whole, rows)
        else:
            with pytest.raises(RefusedError, match="allow_truncated=True" if enough else "no part of its"):
                limits.check_rest(there, whole, rows)
