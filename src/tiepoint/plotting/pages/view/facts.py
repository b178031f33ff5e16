"""What a page tells of the photos and of how the result came about."""

from __future__ import annotations

from pathlib import PurePath

from tiepoint.plotting.pages.markup import Content
from tiepoint.plotting.selection import funnel_line, method_name
from tiepoint.types import Exif, Features, Geometry, Image, MatchResult

Fact = tuple[str, Content]


def photo_name(image: Image, letter: str) -> str:
    """Return the name of a photo's file, without its folder; the letter where it has none."""
    return f"photo {letter}" if image.path is None else PurePath(image.path).name or image.path


def photo_facts(image: Image, *, keep_location: bool) -> list[Fact]:
    """Return what is known of a photo; where it was taken only if that is asked for.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.plotting.pages.view.facts import photo_facts
    >>> exif = tp.types.Exif(camera_model="X100", focal_length=23.0, latitude=48.85, longitude=2.35)
    >>> photo = tp.Image(pixels=np.zeros((480, 640, 3), np.uint8), exif=exif)
    >>> photo_facts(photo, keep_location=False)
    [('pixels', '640 × 480'), ('camera', 'X100'), ('focal length', '23 mm')]
    >>> photo_facts(photo, keep_location=True)[-1]
    ('location', '48.850000, 2.350000')
    """
    facts: list[Fact] = [("pixels", f"{image.width} × {image.height}")]
    if image.exif is not None:
        facts += _exif_facts(image.exif)
        if keep_location:
            facts += _location(image.exif)
    return facts


def _exif_facts(exif: Exif) -> list[Fact]:
    make, model = exif.camera_make or "", exif.camera_model or ""
    camera = model if make and model.startswith(make) else f"{make} {model}".strip()
    facts: list[Fact] = [("camera", camera)] if camera else []
    if exif.focal_length is not None:
        film = "" if exif.focal_length_35mm is None else f" ({exif.focal_length_35mm:g} mm on film)"
        facts.append(("focal length", f"{exif.focal_length:g} mm{film}"))
    if exif.time is not None:
        facts.append(("taken", f"{exif.time:%Y-%m-%d %H:%M:%S}"))
    return facts


def _location(exif: Exif) -> list[Fact]:
    if exif.latitude is None or exif.longitude is None:
        return []
    height = "" if exif.altitude is None else f", {exif.altitude:.0f} m"
    return [("location", f"{exif.latitude:.6f}, {exif.longitude:.6f}{height}")]


def features_facts(features: Features) -> list[Fact]:
    """Return how features were made."""
    facts: list[Fact] = [
        ("extractor", method_name(features.extractor)),
        ("keypoints", f"{len(features)}"),
        ("descriptors", f"{features.descriptors.shape[1]} × {features.descriptors.dtype}, {features.metric}"),
    ]
    settings = ", ".join(f"{name}={value}" for name, value in features.settings.items())
    return [*facts, ("settings", settings)] if settings else facts


def result_facts(result: MatchResult) -> list[Fact]:
    """Return how a result came about: features, funnel, geometry, time, remarks."""
    facts: list[Fact] = [] if result.features0 is None else features_facts(result.features0)[:1]
    if result.features0 is not None and result.features0.settings:
        facts += features_facts(result.features0)[-1:]
    if result.matches.funnel:
        facts.append(("funnel", funnel_line(result.matches.funnel)))
    if result.geometry is not None:
        facts += geometry_facts(result.geometry)
    if result.seconds:
        facts.append(("seconds", ", ".join(f"{name} {value:.2f}" for name, value in result.seconds.items())))
    return facts + [("remark", sentence) for sentence in result.log]


def geometry_facts(geometry: Geometry) -> list[Fact]:
    """Return what the matches agree on, and what speaks for it."""
    if not geometry:
        return [("geometry", f"none: {geometry.reason}"), *(("note", note) for note in geometry.notes)]
    facts: list[Fact] = [
        ("geometry", geometry.model + (", mirrored" if geometry.mirrored else "")),
        ("agree", f"{geometry.count} of {len(geometry.matches)}, within {geometry.max_error:.3g} px"),
    ]
    if geometry.guided:
        facts.append(("guided matching", f"{geometry.guided} more"))
    facts += [("note", note) for note in geometry.notes]
    return facts
