// Iteratively reweighted least squares on Sampson distances: the inner loops of tiepoint/geometry/refine.py, which
// defines them. Results agree with NumPy's as far as sums in another order do.
#pragma once

#include <cstddef>

namespace tiepoint {

// Matches, each photo as n times x and then n times y.
struct Columns {
    const double *x0, *x1;
    std::size_t n;
};

struct Refinement {
    double max_error;  // in pixels, as are the next two
    double reach;      // matches farther off at first have no say
    double stable;     // it stops once nothing moves by more
    int steps;
};

// Moves a homography, by rows, to where the weighed sum of squares is least. Matches as rows of x, y, in pixels;
// `factors` on their weights may be null.
void refine_homography(double* matrix, const double* xy0, const double* xy1, std::size_t n, const double* factors,
                       const Refinement& how);

// The normal equations of one step of Gauss and Newton along at most nine directions, (k, 3, 3), in which an epipolar
// matrix can move. By these, not by the nine entries: where a direction changes nothing, the sums have to show it.
struct EpipolarNormal {
    double equations[81];  // (k, k)
    double right[9];
    double total, squares;  // of the weights
    std::size_t near;       // how many weights are above 0
};

EpipolarNormal epipolar_normal(const double* matrix, const double* ways, std::size_t k, const Columns& matches,
                               double max_error);

}  // namespace tiepoint
