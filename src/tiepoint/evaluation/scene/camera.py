"""A pinhole camera that stands somewhere in the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


class Pose(NamedTuple):
    """Where a camera is: ``x_cam = R @ X + t``; x right, y down, z forward, in metres.

    Attributes
    ----------
    R : ndarray, (3, 3) float64
        Rotation, camera from world.
    t : ndarray, (3,) float64
        Translation in metres, camera from world.

    Examples
    --------
    >>> import numpy as np
    >>> R, t = Pose(np.eye(3), np.array([0.0, 0.0, 5.0]))
    >>> R @ np.zeros(3) + t
    array([0., 0., 5.])
    """

    R: Float
    t: Float


@dataclass(frozen=True, kw_only=True, eq=False)
class PinholeCamera:
    """A camera without distortion; pixel (0, 0) is the centre of the top-left pixel.

    Attributes
    ----------
    K : ndarray, (3, 3) float64
        Focal length and principal point in pixels.
    pose : Pose
        Camera from world.
    width, height : int
        In pixels.
    """

    K: Float
    pose: Pose
    width: int
    height: int

    @property
    def centre(self) -> Float:
        """Where the camera stands in the world, (3,) float64, metres."""
        return -self.pose.R.T @ self.pose.t

    @property
    def world_from_pixel(self) -> Float:
        """(3, 3): times (x, y, 1) gives the viewing direction in the world whose z-depth is 1."""
        return self.pose.R.T @ np.linalg.inv(self.K)

    def project(self, points: Float) -> tuple[Float, Float]:
        """Project world points (N, 3) to pixels (N, 2) and z-depths (N,); NaN behind the camera."""
        homogeneous = (points @ self.pose.R.T + self.pose.t) @ self.K.T
        depth = homogeneous[:, 2]
        safe = np.where(depth > 0, depth, np.nan)
        return homogeneous[:, :2] / safe[:, None], depth

    def sees(self, xy: Float) -> NDArray[np.bool_]:
        """Tell which pixel positions (N, 2) lie on the photo, up to the outer edge of its pixels."""
        x, y = xy[:, 0], xy[:, 1]
        return (x >= -0.5) & (x <= self.width - 0.5) & (y >= -0.5) & (y <= self.height - 0.5)


def look_at(
    *,
    position: tuple[float, float, float],
    target: tuple[float, float, float],
    focal: float,
    width: int,
    height: int,
    roll: float = 0.0,
) -> PinholeCamera:
    """Return a camera at ``position`` that has ``target`` in its middle; the world's z is up.

    ``focal`` is in pixels, ``roll`` in degrees, clockwise as the photographer turns the camera.
    """
    centre = np.array(position, np.float64)
    forward = np.array(target, np.float64) - centre
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    c, s = np.cos(np.deg2rad(roll)), np.sin(np.deg2rad(roll))
    rotation = np.stack([c * right + s * down, c * down - s * right, forward])
    k = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]], np.float64)
    return PinholeCamera(K=k, pose=Pose(rotation, -rotation @ centre), width=width, height=height)
