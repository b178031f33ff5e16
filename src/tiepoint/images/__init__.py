"""The only door for pixels: files, bytes, arrays and Pillow images in, an upright Image out."""

from tiepoint.errors import printable
from tiepoint.images.read import Photo, read_image
from tiepoint.images.write import write_image

__all__ = ["Photo", "printable", "read_image", "write_image"]
