"""The command line: words from the terminal in, words and files out; nothing is computed here."""

from tiepoint.cli.app import main, main_inner

__all__ = ["main", "main_inner"]
