"""What can go wrong, in words that a person can act on.

Every error of tiepoint is one sentence: what is wrong with what, and what to do about it.
"Found nothing" is no error: it is an empty :class:`~tiepoint.types.Features` or
:class:`~tiepoint.types.Matches`.
"""

from __future__ import annotations


class TiepointError(Exception):
    """Base of all errors of tiepoint; ``except TiepointError`` catches each of them.

    Examples
    --------
    >>> import tiepoint as tp
    >>> try:
    ...     tp.read_image("no such photo.jpg")
    ... except tp.TiepointError as error:
    ...     print(error)
    no such photo.jpg: there is no such file
    """


class ReadError(TiepointError):
    """A photo or a file cannot be read: it is missing, broken, too large or of an unknown kind."""


class WriteError(TiepointError):
    """A picture or a file cannot be written: no such folder, no permission, no space left."""


class DataError(TiepointError, ValueError):
    """Arrays do not fit: wrong shape, dtype or values, or two sets that do not belong together."""


class OptionError(TiepointError, ValueError):
    """An option is misspelt, of the wrong type or out of its range, or a name is unknown."""


class MissingError(TiepointError, ImportError):
    """Something optional is not installed; the message gives the command that installs it."""


def reason(error: OSError) -> str:
    """Return what the system says about a file, fit for the end of a sentence.

    Examples
    --------
    >>> from tiepoint.errors import reason
    >>> reason(FileNotFoundError(2, "No such file or directory"))
    'no such file or directory'
    """
    return (error.strerror or str(error)).lower()


def printable(text: str, *, most: int | None = None) -> str:
    r"""Return ``text`` with all that is not to be seen, or moves what is, spelled out; cut in its middle.

    Parameters
    ----------
    text : str
        A name, of a file for example: whoever made it may have put line breaks, colours of the terminal
        or characters that turn the direction of writing into it.
    most : int | None
        The most characters to return; None: all of them.

    Examples
    --------
    >>> from tiepoint.errors import printable
    >>> printable("two\nlines \u202egpj.exe")
    'two\\nlines \\u202egpj.exe'
    >>> printable("x" * 5000 + ".jpg", most=20)
    'xxxxxxxxx...xxxx.jpg'
    """
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    if most is None or len(line) <= most:
        return line
    tail = (most - 3) // 2
    return f"{line[: most - 3 - tail]}...{line[len(line) - tail :]}"
