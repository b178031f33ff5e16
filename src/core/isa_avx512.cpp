// Every kernel at the level "avx512". Nothing but what these headers hold may be compiled here: see kernels.hpp.
#include "kernels.hpp"
#include "simd/vec_avx512.hpp"
// The vocabulary comes first.
#include "matching/sweep.inl.hpp"
#include "matching/floats.inl.hpp"
#include "matching/limit.inl.hpp"

namespace tiepoint {

const Kernels kernels_avx512 = {
    "avx512",      kLanes,       kBytesPerWord, kSignedColumns, kShortsPay,   sweep_bits,   sweep_bytes,
    sweep_floats, sweep_shorts, settle_floats, limit_bits,     limit_bytes,  limit_floats, limit_shorts,
};

}  // namespace tiepoint
