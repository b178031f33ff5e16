"""Pages: one HTML file each, which loads nothing from anywhere and in which names are text.

Template, styles and scripts are the files beside this one; what a page shows is put together in Python,
of elements that escape whatever is not markup already.
"""

from tiepoint.plotting.pages.frame import page
from tiepoint.plotting.pages.markup import Content, Markup, breakable, element, joined, printable
from tiepoint.plotting.pages.parts import Cell, definitions, picture, table

__all__ = [
    "Cell",
    "Content",
    "Markup",
    "breakable",
    "definitions",
    "element",
    "joined",
    "page",
    "picture",
    "printable",
    "table",
]
