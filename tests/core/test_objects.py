"""What the kernels' object files bring into the library: nothing that another file may have, too.

A template of the standard library compiled with -mavx2 is a weak symbol, which the linker may hand to
the code for CPUs without AVX2.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CORE = HERE.parents[1] / "src" / "core"
FLAGS: dict[str, list[str]] = {
    "scalar": [],
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512vnni", "-mavx512vpopcntdq", "-mfma"],
    "neon": ["-march=armv8.2-a+dotprod"],
}
LEVELS = {"x86_64": ("scalar", "avx2", "avx512"), "aarch64": ("scalar", "neon")}


def compiler(machine: str) -> str | None:
    if machine == platform.machine():
        return shutil.which("c++") or shutil.which("g++")
    return shutil.which(f"{machine}-linux-gnu-g++")


@pytest.mark.parametrize("optimised", ["-O0", "-O3"])
@pytest.mark.parametrize(
    ("machine", "level"), [(machine, level) for machine, levels in LEVELS.items() for level in levels]
)
def test_no_symbol_is_shared(machine: str, level: str, optimised: str, tmp_path: Path) -> None:
    cxx, nm = compiler(machine), shutil.which("nm")
    if cxx is None or nm is None:
        pytest.skip(f"no compiler for {machine}")
    out = tmp_path / f"{level}.o"
    flags = ["-std=c++17", "-ffp-contract=off", "-fno-exceptions", "-fno-rtti", "-fvisibility=hidden"]
    subprocess.run(
        [cxx, "-c", CORE / f"isa_{level}.cpp", "-o", out, optimised, *flags, *FLAGS[level]], check=True
    )
    lines = subprocess.run([nm, "-C", out], capture_output=True, text=True, check=True).stdout.splitlines()
    kinds = {line[17:18]: line for line in lines if line[17:18]}
    assert not set("WVu") & set(kinds), lines
    outside = [line for line in lines if line[17:18] in "TDRB"]
    assert [line.split(maxsplit=2)[-1] for line in outside] == [f"tiepoint::kernels_{level}"]


def test_headers_of_kernels_include_no_standard_library() -> None:
    allowed = {"<cstddef>", "<cstdint>", "<immintrin.h>", "<arm_neon.h>"}
    for path in (
        CORE / "kernels.hpp",
        *CORE.glob("isa_*.cpp"),
        *CORE.glob("simd/*"),
        *CORE.rglob("*.inl.hpp"),
    ):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("#include <"):
                assert line.split()[1] in allowed, path


def self_check(cxx: str, level_flags: dict[str, list[str]], levels: Path, out: Path, *flags: str) -> Path:
    """Build self_check.cpp with the kernels of some levels."""
    common = [cxx, "-std=c++17", "-O2", "-pthread", f"-I{CORE}"]
    objects = []
    for level, own in level_flags.items():
        objects.append(out / f"{level}.o")
        kernel = ["-ffp-contract=off", "-fno-exceptions", "-fno-rtti", *own]
        subprocess.run([*common, *kernel, "-c", CORE / f"isa_{level}.cpp", "-o", objects[-1]], check=True)
    sources = [HERE / "self_check.cpp", HERE / "geometry_check.cpp", levels, CORE / "threads.cpp"]
    sources += [CORE / "matching" / "nearest.cpp", *sorted((CORE / "geometry").glob("*.cpp"))]
    subprocess.run([*common, *flags, *sources, *objects, "-o", out / "self_check"], check=True)
    return out / "self_check"


def test_avx512_translated_by_simde(tmp_path: Path) -> None:
    """What the level computes, on a CPU without it: every intrinsic in plain C++. Not its speed."""
    import sysconfig

    include = Path(sysconfig.get_path("purelib")) / "cmeel.prefix" / "include"
    cxx = compiler(platform.machine())
    if cxx is None or not (include / "simde").is_dir():
        pytest.skip("needs a compiler and cmeel-simde")
    flags = [f"-I{HERE / 'translated'}", "-isystem", str(include)]
    program = self_check(cxx, {"avx512": flags}, HERE / "translated" / "levels.cpp", tmp_path)
    assert subprocess.run([program], capture_output=True, text=True, check=True).stdout.startswith(
        "avx512\n0 of"
    )


def test_neon_under_qemu(tmp_path: Path) -> None:
    cxx, qemu = compiler("aarch64"), shutil.which("qemu-aarch64")
    if cxx is None or qemu is None or platform.machine() == "aarch64":
        pytest.skip("needs aarch64-linux-gnu-g++ and qemu-user")
    levels = {"scalar": [], "neon": FLAGS["neon"]}
    program = self_check(cxx, levels, CORE / "dispatch.cpp", tmp_path, "-static")
    done = subprocess.run([qemu, "-cpu", "max", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("neon\nscalar\n0 of")
