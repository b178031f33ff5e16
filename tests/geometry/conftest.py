"""What tests of several modules share."""

from __future__ import annotations

import pytest

from tiepoint import core


@pytest.fixture(params=["compiled", "numpy"])
def with_and_without_core(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test twice: with the kernels of the compiled core, and with NumPy, which does the same."""
    if request.param == "numpy":
        monkeypatch.setattr(core, "_missing", "left out by a test")
    elif core.kernel("refined_homography") is None:
        pytest.skip("installed without the compiled core")
