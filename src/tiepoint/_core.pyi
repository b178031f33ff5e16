from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_Found = tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]

MOST_BYTE_DIMENSIONS: Final[int]

class Packed:
    def __init__(self, descriptors: NDArray[Any], metric: str, threads: int) -> None: ...
    def nearest(self, descriptors: NDArray[Any], threads: int) -> tuple[_Found, _Found]: ...

def nearest(
    descriptors0: NDArray[Any], descriptors1: NDArray[Any], metric: str, threads: int, second_back: bool
) -> tuple[_Found, _Found]: ...
def transfer_residuals(
    matrix: NDArray[np.float64], xy0: NDArray[np.float64], xy1: NDArray[np.float64]
) -> NDArray[np.float64]: ...
def epipolar_residuals(
    matrix: NDArray[np.float64], xy0: NDArray[np.float64], xy1: NDArray[np.float64]
) -> NDArray[np.float64]: ...
def refined_homography(
    matrix: NDArray[np.float64],
    xy0: NDArray[np.float64],
    xy1: NDArray[np.float64],
    factors: NDArray[np.float64] | None,
    max_error: float,
    reach: float,
    stable: float,
    steps: int,
) -> NDArray[np.float64]: ...
def epipolar_normal(
    matrix: NDArray[np.float64],
    ways: NDArray[np.float64],
    x0: NDArray[np.float64],
    x1: NDArray[np.float64],
    max_error: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], float, float, int]: ...
def counts_alike(
    turn: NDArray[np.float64], growth: NDArray[np.float64], step: int, most_turn: float, most_growth: float
) -> NDArray[np.int64]: ...
def carried_along(
    matrix: NDArray[np.float64],
    xy0: NDArray[np.float32],
    angle0: NDArray[np.float32],
    angle1: NDArray[np.float32],
    size0: NDArray[np.float32],
    size1: NDArray[np.float32],
    most_turn: float,
    most_growth: float,
) -> NDArray[np.uint8]: ...
def spread_area(xy: NDArray[np.float32]) -> float: ...
def level() -> str: ...
def available_levels() -> list[str]: ...
def force_level(name: str) -> None: ...
def cpu_name() -> str: ...
def most_per_second(kind: str) -> float: ...
