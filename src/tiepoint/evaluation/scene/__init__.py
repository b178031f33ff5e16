"""A rendered scene whose truth is known: two photos of a building with two towers and a tree."""

from tiepoint.evaluation.scene.camera import Pose
from tiepoint.evaluation.scene.demo import RenderedPair, render_demo

__all__ = ["Pose", "RenderedPair", "render_demo"]
