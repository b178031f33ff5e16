#include "residuals.hpp"

#include <cmath>
#include <limits>

namespace tiepoint {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

double sign(double x) { return static_cast<double>((x > 0) - (x < 0)); }

double depth(const double* m, const double* xy) { return m[6] * xy[0] + m[7] * xy[1] + m[8]; }

// Loops without branches and with pointers that do not overlap, so that the compiler takes two matches at once.
void to_transfer(const double* __restrict m, const double* __restrict xy0, const double* __restrict xy1, std::size_t n,
                 double* __restrict distance) {
    const double m0 = m[0], m1 = m[1], m2 = m[2], m3 = m[3], m4 = m[4], m5 = m[5], m6 = m[6], m7 = m[7], m8 = m[8];
    for (std::size_t i = 0; i < n; ++i) {
        const double x = xy0[2 * i], y = xy0[2 * i + 1], u = xy1[2 * i], v = xy1[2 * i + 1];
        const double w = m6 * x + m7 * y + m8;
        const double e = m0 * x + m1 * y + m2 - u * w, f = m3 * x + m4 * y + m5 - v * w;
        const double ex = m0 - u * m6, ey = m1 - u * m7, fx = m3 - v * m6, fy = m4 - v * m7;
        const double a = ex * ex + ey * ey + w * w, b = ex * fx + ey * fy, c = fx * fx + fy * fy + w * w;
        const double squared = (c * e * e - 2 * b * e * f + a * f * f) / (a * c - b * b);
        const double root = std::sqrt(squared < 0 ? 0.0 : squared);
        distance[i] = root >= 0 ? root : kInfinite;  // on the horizon it is not a number
    }
}

}  // namespace

void transfer_residuals(const double* m, const double* xy0, const double* xy1, std::size_t n, double* distance) {
    to_transfer(m, xy0, xy1, n, distance);
    std::size_t before = 0, behind = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const double w = depth(m, xy0 + 2 * i);
        before += w > 0;
        behind += w < 0;
    }
    if (before == 0 || behind == 0) return;
    double side = 0;
    for (std::size_t i = 0; i < n; ++i) side += sign(depth(m, xy0 + 2 * i)) / (1 + distance[i] * distance[i]);
    for (std::size_t i = 0; i < n; ++i) {
        if (depth(m, xy0 + 2 * i) * sign(side) <= 0) distance[i] = kInfinite;
    }
}

void epipolar_residuals(const double* m, const double* xy0, const double* xy1, std::size_t n, double* distance) {
    for (std::size_t i = 0; i < n; ++i) {
        const double x = xy0[2 * i], y = xy0[2 * i + 1], u = xy1[2 * i], v = xy1[2 * i + 1];
        const double a1 = m[0] * x + m[1] * y + m[2], b1 = m[3] * x + m[4] * y + m[5];
        const double c1 = m[6] * x + m[7] * y + m[8];
        const double a0 = m[0] * u + m[3] * v + m[6], b0 = m[1] * u + m[4] * v + m[7];
        const double slope = (a1 * a1 + b1 * b1) + (a0 * a0 + b0 * b0);
        // At both epipoles every line passes.
        distance[i] = slope > 0 ? std::abs(a1 * u + b1 * v + c1) / std::sqrt(slope) : 0.0;
    }
}

}  // namespace tiepoint
