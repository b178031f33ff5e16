// Which keypoints turn and grow alike, as tiepoint/geometry/consistency.py defines it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tiepoint {

// For every `step`-th match, how many turn and grow as it does, with itself, (n + step - 1) / step. Turns are in
// degrees from -180 to 180, and `most_turn` is below 90.
void count_alike(const double* turn, const double* growth, std::size_t n, std::size_t step, double most_turn,
                 double most_growth, std::int64_t* counts);

// Which matches turn and grow as the picture at their place does that a homography, by rows, takes along: 1 or 0.
// Places as rows of x, y; angles in degrees, of gradients: where the picture is sheared they turn otherwise than lines.
struct Keypoints {
    const float *xy0, *angle0, *angle1, *size0, *size1;
};
void carried_along(const double* matrix, const Keypoints& keypoints, std::size_t n, double most_turn,
                   double most_growth, std::uint8_t* along);

}  // namespace tiepoint
