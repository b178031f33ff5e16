"""The page of one photo: its keypoints, with scale and orientation."""

from __future__ import annotations

from typing import Any

from tiepoint.plotting.pages.markup import Content, Markup, breakable, element, joined
from tiepoint.plotting.pages.parts import definitions
from tiepoint.plotting.pages.view import controls
from tiepoint.plotting.pages.view.facts import features_facts, photo_facts, photo_name
from tiepoint.plotting.pages.view.help import PHOTO_HELP
from tiepoint.plotting.pages.view.origin import features_lines
from tiepoint.plotting.pages.view.rows import keypoint_arrays
from tiepoint.plotting.pages.view.sheet import palette, photo_elements, previews, sheet
from tiepoint.plotting.selection import method_name, shown_of
from tiepoint.types import Features, Image


def keypoints_page(
    image: Image,
    features: Features,
    *,
    full: bool = False,
    keep_location: bool = False,
    most_side: int = 2048,
) -> str:
    """Return the page of a photo and its keypoints.

    Parameters
    ----------
    image : Image
    features : Features
        Of that photo.
    full, keep_location, most_side
        As in :func:`matches_page`.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.plotting.pages.view import keypoints_page
    >>> photo = render_demo().image0
    >>> "keypoints" in keypoints_page(photo, tp.extract(photo, "orb"))
    True
    """
    name = photo_name(image, "A")
    keypoints = keypoint_arrays(features, scored=True)
    names = ["size"] if len(features) else []
    names += ["score"] if features.score is not None and len(features) else []
    document: dict[str, Any] = {
        "kind": "photo",
        "photos": [{"name": name, "width": image.width, "height": image.height}],
        "rows": None,
        "keypoints": [keypoints],
        "geometry": None,
        "thresholds": dict.fromkeys(("ratio", "distance", "score", "size", "most"), None) | {"mutual": False},
        "origin": features_lines(image, features),
        "outlines": [],
        "palette": palette(),
        "colours": ["plain", "scale", *(["score"] if features.score is not None else [])],
    }
    numbers = 0 if keypoints is None else sum(len(one["base64"]) for one in keypoints["arrays"].values())
    [shown] = previews([image], numbers=numbers, full=full, most_side=most_side)
    about = [("file", breakable(name)), *photo_facts(image, keep_location=keep_location)]
    counted = shown_of(len(features), len(features), "keypoint", ranked=False)
    method = method_name(features.extractor)
    texts = {"size": "large enough", "score": "pass the score"}
    stages = [(each, texts[each]) for each in names]
    parts: dict[str, Content] = {
        "heading": breakable(name),
        "verdict": element(
            "p",
            element("span", counted, element("small", f"by {method}")),
            class_="answer",
        ),
        "row": "keypoint",
        "stage_label": f"{name} with {counted}",
        "photos": photo_elements([(shown, f"Photo: {name}")]),
        "nothing": "No keypoint passes, or none is there.",
        "no_flicker": Markup(" hidden"),
        "no_thresholds": "" if names else Markup(" hidden"),
        "no_rows": "" if len(features) else Markup(" hidden"),
        "outline": "",
        "switches": "",
        "follow": "",
        "colours": controls.colours(document["colours"]),
        "funnel": controls.funnel([("keypoints", len(features))], [*stages, ("strongest", "shown")]),
        "sliders": joined(controls.slider(each) for each in [*names, "most"]) if "score" in names
        else joined(controls.slider(each) for each in names),
        "patches": controls.patch(0, name),
        "remark": "",
        "columns": joined(element("th", text, scope="col", class_="text")
                          for text in ("keypoint", "x, y", "score", "size in pixels")),
        "facts": joined(
            [
                element("div", element("h2", "Photo"), definitions(about)),
                element("div", element("h2", "Features"), definitions(features_facts(features))),
            ]
        ),
        "help": PHOTO_HELP,
    }  # fmt: skip
    return sheet(name, parts, document)
