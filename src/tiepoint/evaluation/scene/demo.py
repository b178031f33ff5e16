"""Two photos of one building, and the truth about which of their points belong together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiepoint.errors import DataError
from tiepoint.evaluation.scene.building import cathedral
from tiepoint.evaluation.scene.camera import Float, PinholeCamera, Pose, look_at
from tiepoint.evaluation.scene.light import daylight
from tiepoint.evaluation.scene.render import render
from tiepoint.evaluation.scene.surfaces import RayCaster, Surface
from tiepoint.evaluation.scene.surroundings import town
from tiepoint.types import Image

_SMALLEST, _LARGEST = 32, 4096
# What lies this much nearer than a point hides it, as a share of its depth: far above the rounding
# of a ray cast, far below the distance between any two surfaces of the scene.
_SAME_DEPTH = 1e-5

_MORNING = daylight(
    azimuth=-32, elevation=42, exposure=0.55, clouds=0.50,
    sun=(2.5, 2.3, 2.0), sky=(0.42, 0.53, 0.74), bounce=(0.24, 0.22, 0.18),
    zenith=(0.10, 0.27, 0.70), horizon=(0.62, 0.82, 1.05), cloud=(1.9, 1.9, 1.9),
)  # fmt: skip
_EVENING = daylight(
    azimuth=28, elevation=36, exposure=0.52, clouds=0.48,
    sun=(2.9, 1.85, 0.95), sky=(0.34, 0.40, 0.56), bounce=(0.24, 0.18, 0.13),
    zenith=(0.16, 0.27, 0.56), horizon=(1.25, 0.84, 0.56), cloud=(1.7, 1.2, 0.9),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RenderedPair:
    """Two views of a rendered building, and where each point of one is in the other.

    The world is in metres: x to the right along the building's front, y away behind it, z up. A
    camera sees ``x_cam = R @ X + t`` with x right, y down, z forward; the pixel is ``K @ x_cam``,
    and (0, 0) is the centre of the top-left pixel.

    Attributes
    ----------
    image0, image1 : Image
        The photos, uint8 RGB.
    K0, K1 : ndarray, (3, 3) float64
        Focal length and principal point in pixels; there is no distortion.
    cam0_from_world, cam1_from_world : Pose
        R (3, 3) and t (3,), float64.
    depth0, depth1 : ndarray, (H, W) float64
        z-depth in metres at the centre of each pixel; infinite for sky.
    surfaces : tuple[Surface, ...]
        The flat patches that the world is made of.

    Examples
    --------
    >>> import numpy as np
    >>> pair = render_demo(width=160, height=120)
    >>> xy1, visible = pair.transfer(np.array([[80.0, 90.0], [2.0, 1.0]]))
    >>> visible  # a stone, and the sky
    array([ True, False])
    >>> pair.correct(np.array([[80.0, 90.0]]), xy1[:1] + 1.0)
    array([ True])
    """

    image0: Image
    image1: Image
    K0: Float
    K1: Float
    cam0_from_world: Pose
    cam1_from_world: Pose
    depth0: Float
    depth1: Float
    surfaces: tuple[Surface, ...]

    def transfer(self, xy0: ArrayLike) -> tuple[Float, NDArray[np.bool_]]:
        """Return where points of photo 0 are in photo 1.

        A ray is cast through the very position, not through the nearest pixel: the answer is exact
        right up to the edges of things.

        Parameters
        ----------
        xy0 : array_like, (N, 2)
            Positions in photo 0, pixels.

        Returns
        -------
        xy1 : ndarray, (N, 2) float64
            Positions in photo 1, pixels; NaN where there is no such position, as for the sky,
            which is at no distance. May lie off the photo.
        visible : ndarray, (N,) bool
            Whether photo 1 shows the point: False for sky, for positions off either photo, and
            where something else is in front.

        Raises
        ------
        DataError
            If ``xy0`` is not (N, 2) or not finite.

        Examples
        --------
        >>> pair = render_demo(width=160, height=120)
        >>> xy1, visible = pair.transfer([[80.0, 90.0]])
        >>> xy1.shape, visible.shape
        ((1, 2), (1,))
        """
        points = _positions("xy0", xy0)
        camera0, camera1 = self._cameras
        depth = RayCaster.of(self.surfaces, camera0).points(points).depth
        met = np.isfinite(depth)
        rays = np.column_stack([points, np.ones(len(points))]) @ camera0.world_from_pixel.T
        world = camera0.centre + rays * np.where(met, depth, np.nan)[:, None]
        xy1, depth1 = camera1.project(world)
        visible = met & camera0.sees(points) & (depth1 > 0) & camera1.sees(xy1)
        shown = np.flatnonzero(visible)
        nearest = RayCaster.of(self.surfaces, camera1).points(xy1[shown]).depth
        visible[shown] = nearest >= depth1[shown] * (1 - _SAME_DEPTH)
        return xy1, visible

    def correct(self, xy0: ArrayLike, xy1: ArrayLike, max_error: float = 3.0) -> NDArray[np.bool_]:
        """Tell which matches are right: seen in both photos, and at most ``max_error`` pixels off.

        Parameters
        ----------
        xy0, xy1 : array_like, (N, 2)
            Positions in photo 0 and in photo 1 that are held to show the same point.
        max_error : float
            Largest distance in photo 1 between the given and the true position, pixels. The default
            lets pass what a detector may place on a coarse scale, and no neighbour in a pattern.

        Returns
        -------
        ndarray, (N,) bool

        Raises
        ------
        DataError
            If the positions are not both (N, 2) and finite.

        Examples
        --------
        >>> pair = render_demo(width=160, height=120)
        >>> pair.correct([[80.0, 90.0]], [[0.0, 0.0]])
        array([False])
        """
        points0, points1 = _positions("xy0", xy0), _positions("xy1", xy1)
        if len(points0) != len(points1):
            raise DataError(f"xy0 and xy1 must be pairs, but there are {len(points0)} and {len(points1)}")
        truth, visible = self.transfer(points0)
        error = np.linalg.norm(truth - points1, axis=1)
        return np.asarray(visible & (error <= max_error), np.bool_)

    def __repr__(self) -> str:
        return f"RenderedPair({self.image0!r}, {self.image1!r})"

    @property
    def _cameras(self) -> tuple[PinholeCamera, PinholeCamera]:
        return (
            PinholeCamera(
                K=self.K0, pose=self.cam0_from_world, width=self.image0.width, height=self.image0.height
            ),
            PinholeCamera(
                K=self.K1, pose=self.cam1_from_world, width=self.image1.width, height=self.image1.height
            ),
        )


def render_demo(*, width: int = 800, height: int = 600, seed: int = 0) -> RenderedPair:
    """Render two photos of a building with two towers and a tree, whose truth is known.

    Photo 0 is taken in the morning from the left; photo 1 in the evening from further right, with
    another focal length, a little roll and a noisier sensor.

    Parameters
    ----------
    width, height : int
        Of both photos in pixels, 32 to 4096. The default takes two to four seconds.
    seed : int
        Chooses every stone and leaf, not less than 0; the same seed gives the same pair.

    Returns
    -------
    RenderedPair

    Raises
    ------
    DataError
        If the size or the seed is out of range.

    Examples
    --------
    >>> pair = render_demo(width=160, height=120)
    >>> pair.image0.size
    (160, 120)
    """
    for name, value in (("width", width), ("height", height)):
        if not _is_integer(value) or not _SMALLEST <= value <= _LARGEST:
            raise DataError(f"{name} must be an integer from {_SMALLEST} to {_LARGEST}, not {value!r}")
    if not _is_integer(seed) or seed < 0:
        raise DataError(f"seed must be an integer, 0 or more, not {seed!r}")
    return _render_demo(int(width), int(height), int(seed))


@lru_cache(maxsize=4)  # tests and a demo ask for the same pair again; all its arrays are read-only
def _render_demo(width: int, height: int, seed: int) -> RenderedPair:
    rng = np.random.default_rng([seed, 0x71E])
    patches = [*cathedral(rng), *town(rng)]
    focal = min(width / 800, height / 600)
    camera0 = look_at(
        position=(-18.8, -46.3, 5.0), target=(2.7, 0.0, 14.2), focal=755 * focal, width=width, height=height
    )
    camera1 = look_at(
        position=(-6.0, -52.0, 4.0), target=(4.4, 0.0, 14.4),
        focal=790 * focal, width=width, height=height, roll=2.0,
    )  # fmt: skip
    photo0, depth0 = render(patches, camera0, _MORNING, rng, noise=0.8)
    photo1, depth1 = render(patches, camera1, _EVENING, rng, noise=1.3)
    surfaces = tuple(patch.surface for patch in patches)
    shared: list[NDArray[Any]] = [
        photo0,
        photo1,
        depth0,
        depth1,
        camera0.K,
        camera1.K,
        *camera0.pose,
        *camera1.pose,
    ]
    for surface in surfaces:
        shared += [surface.origin, surface.u, surface.up]
        shared += [] if surface.cutout is None else [surface.cutout]
    for array in shared:
        array.flags.writeable = False
    return RenderedPair(
        image0=Image(pixels=photo0),
        image1=Image(pixels=photo1),
        K0=camera0.K,
        K1=camera1.K,
        cam0_from_world=camera0.pose,
        cam1_from_world=camera1.pose,
        depth0=depth0,
        depth1=depth1,
        surfaces=surfaces,
    )


def _is_integer(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _positions(name: str, xy: ArrayLike) -> Float:
    points = np.asarray(xy, np.float64)
    if points.ndim != 2 or points.shape[1] != 2:
        raise DataError(f"{name} must be positions of shape (N, 2), not {points.shape}")
    if not np.isfinite(points).all():
        raise DataError(f"{name} must be finite, but holds NaN or infinity")
    return points
