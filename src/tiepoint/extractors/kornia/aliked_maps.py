"""ALIKED's maps in the sizes in which they are computed; values at full size only where they are read.

The network ends in 128 numbers for each pixel, but a descriptor reads them at some seventy pixels only. To
make just these takes a fifth of the memory, and the results are the same but for rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_DIVISOR = 32  # the sides that the network takes are multiples of this
_AT_ONCE = 512  # keypoints that are described together


@dataclass(frozen=True)
class AlikedMaps:
    """What the network makes of one photo.

    Attributes
    ----------
    branches : tuple of tensors, each (1, C, H', W')
        In full size, and reduced 2, 8 and 32 times, of the photo with its margins.
    margins : (int, int)
        Pixels that were added on the left and above.
    size : (int, int)
        Width and height of the photo.
    """

    branches: tuple[Any, ...]
    margins: tuple[int, int]
    size: tuple[int, int]

    def at_pixels(self, x: Any, y: Any) -> Any:
        """Return the features of pixels, given by (K,) int64 each: (K, D), of length 1."""
        import torch
        from torch.nn.functional import grid_sample, normalize

        left, top = self.margins
        height, width = self.branches[0].shape[2:]
        x, y = x + left, y + top
        fine = self.branches[0][0, :, y, x]
        # The enlarged maps have the corners of the small ones: so do the places from -1 to 1.
        places = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], dim=1)
        coarse = [
            grid_sample(branch, places[None, None], align_corners=True)[0, :, 0]
            for branch in self.branches[1:]
        ]
        return normalize(torch.cat([fine, *coarse]).T, dim=1)

    def between(self, xy: Any) -> Any:
        """Return the features at positions, (K, 2): (K, D), bilinear, and zero outside the photo."""
        import torch

        corner = xy.floor()
        part = xy - corner
        total: Any = 0
        for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
            x, y = (corner.long() + torch.tensor([right, down])).unbind(1)
            weight = (part[:, 0] if right else 1 - part[:, 0]) * (part[:, 1] if down else 1 - part[:, 1])
            weight = weight * ((x >= 0) & (x < self.size[0]) & (y >= 0) & (y < self.size[1]))
            x, y = x.clamp(0, self.size[0] - 1), y.clamp(0, self.size[1] - 1)
            total = total + weight[:, None] * self.at_pixels(x, y)
        return total


def run(module: Any, photo: Any) -> tuple[Any, AlikedMaps]:
    """Run the network on a photo, (1, 3, H, W): the scores, (H, W), and the maps to describe from."""
    from torch.nn.functional import conv2d, interpolate, pad

    height, width = photo.shape[2:]
    wide, high = -width % _DIVISOR, -height % _DIVISOR
    left, top = wide // 2, high // 2
    padded = pad(photo, (left, wide - left, top, high - top), mode="replicate")

    features = [module.block1(padded)]
    features.append(module.block2(module.pool2(features[-1])))
    features.append(module.block3(module.pool4(features[-1])))
    features.append(module.block4(module.pool4(features[-1])))
    branches = tuple(
        module.gate(getattr(module, f"conv{number}")(feature)) for number, feature in enumerate(features, 1)
    )
    # The first layer of the head weighs channels, and may as well do so before they are enlarged.
    head, *rest = module.score_head
    scores: Any = 0
    for branch, weight in zip(branches, head.weight.chunk(len(branches), dim=1), strict=True):
        part = conv2d(branch, weight)
        scores = scores + interpolate(part, size=padded.shape[2:], mode="bilinear", align_corners=True)
    for layer in rest:
        scores = layer(scores)
    scores = scores[0, 0, top : top + height, left : left + width].sigmoid()
    return scores, AlikedMaps(branches, (left, top), (width, height))


def describe(module: Any, maps: AlikedMaps, xy: Any) -> Any:
    """Describe keypoints at positions (x, y) in pixels, (N, 2): (N, D), of length 1.

    A patch around each says from which places its descriptor is put together.
    """
    import torch

    return torch.cat([_described(module.desc_head, maps, part) for part in xy.split(_AT_ONCE)])


def _described(head: Any, maps: AlikedMaps, xy: Any) -> Any:
    import torch
    from torch.nn.functional import normalize, selu

    n, side = len(xy), head.kernel_size
    size = torch.tensor(maps.size)
    corner = torch.minimum((xy.long() - side // 2).clamp(min=0), size - 1 - side)
    steps = torch.arange(side)
    x = (corner[:, 0, None, None] + steps[None, None, :]).expand(n, side, side)
    y = (corner[:, 1, None, None] + steps[None, :, None]).expand(n, side, side)
    patch = maps.at_pixels(x.flatten(), y.flatten()).reshape(n, side, side, -1).permute(0, 3, 1, 2)
    farthest = max(maps.size) / 4
    offset = head.offset_conv(patch).clamp(-farthest, farthest)[:, :, 0, 0]
    places = xy[:, None, :] + offset.reshape(n, 2, head.n_pos).permute(0, 2, 1)
    values = maps.between(places.flatten(0, 1)) @ head.sf_conv.weight[:, :, 0, 0].T
    values = selu(values).reshape(n, head.n_pos, -1)
    return normalize(torch.einsum("npc,pcd->nd", values, head.agg_weights), dim=1)
