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
