"""Keypoints in a map of scores: its local maxima, and where between the pixels they are."""

from __future__ import annotations

from typing import Any

# How sharp the peaks are taken to be; ALIKED was trained with this.
_TEMPERATURE = 0.1


def local_maxima(scores: Any, radius: int, threshold: float) -> tuple[Any, Any]:
    """Return the pixels whose score is above all others within ``radius``, and above the threshold.

    Parameters
    ----------
    scores : tensor, (H, W) float32
    radius : int
        In pixels; the window is square and must lie inside the map.
    threshold : float

    Returns
    -------
    tuple[tensor, tensor]
        Positions (x, y), (K, 2) int64, row by row; scores, (K,) float32.
    """
    from kornia.geometry.subpix import nms2d

    window = 2 * radius + 1
    highest = nms2d(scores[None, None], (window, window), mask_only=True)[0, 0]
    yx = (highest & (scores > threshold)).nonzero()
    return yx.flip(1), scores[yx[:, 0], yx[:, 1]]


def between_pixels(scores: Any, xy: Any, radius: int) -> Any:
    """Move maxima to the mean of their windows, weighted by exp(score / 0.1): (K, 2) float32.

    References
    ----------
    Zhao et al., "ALIKED", IEEE Trans. Instrumentation and Measurement 2023, section III-C.
    """
    import torch

    steps = torch.arange(-radius, radius + 1)
    x, y = xy[:, 0, None, None] + steps[None, None, :], xy[:, 1, None, None] + steps[None, :, None]
    windows = scores[y, x]
    weights = torch.softmax(windows.flatten(1) / _TEMPERATURE, dim=1).reshape(windows.shape)
    moved = torch.stack([(weights.sum(1) * steps).sum(1), (weights.sum(2) * steps).sum(1)], dim=1)
    return xy + moved
