"""The only door for pixels: files, bytes, arrays and Pillow images in, an upright Image out."""

from tiepoint.images.read import read_image
from tiepoint.images.write import write_image

__all__ = ["read_image", "write_image"]
