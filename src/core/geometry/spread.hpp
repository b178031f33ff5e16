// How points spread over a photo, as tiepoint/geometry/spread.py defines it.
#pragma once

#include <cstddef>

namespace tiepoint {

// The area of the convex hull of points, rows of x, y, without the tenth of them that is farthest from the middle.
double spread_area(const float* xy, std::size_t n);

}  // namespace tiepoint
