"""What `import tiepoint` costs and brings, seen from fresh processes."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tiepoint as tp


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_import_loads_nothing_heavy() -> None:
    heavy = "{'cv2', 'matplotlib', 'numpy', 'PIL', 'typer'}"
    code = f"import sys, tiepoint; print(sorted({heavy} & set(sys.modules)))"
    assert python(code) == "[]"


def test_import_takes_little() -> None:
    code = (
        "import numpy, time; start = time.perf_counter(); import tiepoint; print(time.perf_counter() - start)"
    )
    assert min(float(python(code)) for _ in range(5)) < 0.05


def test_reading_and_types_need_no_opencv() -> None:
    code = (
        "import sys, tiepoint as tp; tp.read_image; tp.Features; tp.plot_matches; print('cv2' in sys.modules)"
    )
    assert python(code) == "False"


def test_help_imports_neither_numpy_nor_opencv_nor_matplotlib() -> None:
    code = (
        "import sys\n"
        "from tiepoint.cli import main_inner\n"
        "import contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()) as out:\n"
        "    main_inner(['--help'])\n"
        "assert 'tiepoint demo' in out.getvalue()\n"
        "print(sorted({'cv2', 'matplotlib', 'numpy', 'PIL', 'rich'} & set(sys.modules)))"
    )
    assert python(code) == "[]"


def test_no_network_is_touched() -> None:
    code = (
        "import socket\n"
        "def refuse(*a, **k): raise RuntimeError('network')\n"
        "socket.socket.connect = refuse\n"
        "socket.getaddrinfo = refuse\n"
        "import tiepoint as tp\n"
        "for name in tp.__all__: getattr(tp, name)\n"
        "print('fine')"
    )
    assert python(code) == "fine"


def test_every_public_name_is_there_and_documented() -> None:
    for name in tp.__all__:
        value = getattr(tp, name)
        assert name == "__version__" or (value.__doc__ and len(value.__doc__) > 30)
    assert set(tp.__all__) <= set(dir(tp))
    with pytest.raises(AttributeError, match="no attribute 'mtach'"):
        _ = tp.mtach
