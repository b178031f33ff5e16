"""``python -m tiepoint`` is the command ``tiepoint``."""

from tiepoint.cli import main

if __name__ == "__main__":
    main()
