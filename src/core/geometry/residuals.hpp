// How far matches are from a model: Sampson distances, as tiepoint/geometry/residuals.py defines them.
#pragma once

#include <cstddef>

namespace tiepoint {

// Matches as rows of x, y; `matrix` by rows. Results agree with NumPy's to a few units in the last place.
void transfer_residuals(const double* matrix, const double* xy0, const double* xy1, std::size_t n, double* distance);
void epipolar_residuals(const double* matrix, const double* xy0, const double* xy1, std::size_t n, double* distance);

}  // namespace tiepoint
