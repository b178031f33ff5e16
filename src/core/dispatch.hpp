// Which instruction set is used.
#pragma once

#include <string>
#include <vector>

#include "kernels.hpp"

namespace tiepoint {

// The levels that are built in and that this CPU and operating system run, best first.
const std::vector<const Kernels*>& available_levels();

// The level in use: the best, or the one that TIEPOINT_SIMD names. Throws std::invalid_argument if that is unknown
// or cannot run here.
const Kernels& active_level();

// Use this level from now on; for tests.
void force_level(const std::string& name);

std::string cpu_name();

}  // namespace tiepoint
