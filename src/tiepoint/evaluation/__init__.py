"""How good is it: photos whose truth is known."""

from tiepoint.evaluation.scene import Pose, RenderedPair, render_demo

__all__ = ["Pose", "RenderedPair", "render_demo"]
