// Found before the compiler's own: SIMDe's plain C++ for every AVX-512 intrinsic, so that the level can be checked on
// a CPU without it. (pip install cmeel-simde; see test_objects.py.)
#pragma once
#define SIMDE_NO_NATIVE
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
