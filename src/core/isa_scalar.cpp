// Every kernel at the level "scalar". Nothing but what these headers hold may be compiled here: see kernels.hpp.
#include "kernels.hpp"
#include "simd/vec_scalar.hpp"
// The vocabulary comes first.
#include "matching/sweep.inl.hpp"
#include "matching/floats.inl.hpp"
#include "matching/limit.inl.hpp"

namespace tiepoint {

const Kernels kernels_scalar = {
    "scalar",      kLanes,       kBytesPerWord, kSignedColumns, kShortsPay,   sweep_bits,   sweep_bytes,
    sweep_floats, sweep_shorts, settle_floats, limit_bits,     limit_bytes,  limit_floats, limit_shorts,
};

}  // namespace tiepoint
