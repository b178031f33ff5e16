#include "refine.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "residuals.hpp"

namespace tiepoint {
namespace {

constexpr std::size_t kSize = 9;
constexpr double kLeast = std::numeric_limits<double>::min();

// Four sums side by side, since one alone waits for each addition to end.
double dot(const double* a, const double* b, std::size_t n) {
    double sums[4] = {0, 0, 0, 0};
    std::size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (std::size_t k = 0; k < 4; ++k) sums[k] += a[i + k] * b[i + k];
    }
    for (; i < n; ++i) sums[0] += a[i] * b[i];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// Cauchy's weight, cut off.
double weight_of(double squared, double scale) {
    const double scaled = squared * scale;
    return (scaled <= 9.0 ? 1.0 : 0.0) / (1 + scaled);
}

// How many times as far as least squares with fixed weights Newton's method would go.
double stride(double total, double squares, double dimensions) {
    const double along = 2 * squares - total;
    const double far = dimensions * total / std::max((dimensions - 1) * total + along, 1e-300);
    return std::min(std::max(far, 1.0), 2.0);
}

// The eigenvector, of length 1, of the least eigenvalue of a symmetric matrix that has none below 0: inverse iteration
// from `start`, which is near it, so that a few rounds are enough. The matrix is destroyed.
void least_eigenvector(double (&a)[kSize][kSize], const double* start, double* vector) {
    double trace = 0;
    for (std::size_t i = 0; i < kSize; ++i) trace += a[i][i];
    // L D L': below the diagonal the factor, on it the inverse of D. What is 0 but for rounding must not turn negative.
    const double least = std::max(1e-17 * trace, kLeast);
    for (std::size_t j = 0; j < kSize; ++j) {
        double scaled[kSize], pivot = a[j][j];
        for (std::size_t k = 0; k < j; ++k) {
            scaled[k] = a[j][k] / a[k][k];
            pivot -= a[j][k] * scaled[k];
        }
        a[j][j] = 1 / std::max(pivot, least);
        for (std::size_t i = j + 1; i < kSize; ++i) {
            for (std::size_t k = 0; k < j; ++k) a[i][j] -= a[i][k] * scaled[k];
            a[i][j] *= a[j][j];
        }
    }
    std::copy(start, start + kSize, vector);
    for (int round = 0; round < 1000; ++round) {
        double next[kSize];
        std::copy(vector, vector + kSize, next);
        for (std::size_t i = 0; i < kSize; ++i) {
            for (std::size_t k = 0; k < i; ++k) next[i] -= a[i][k] * next[k];
        }
        for (std::size_t i = 0; i < kSize; ++i) next[i] *= a[i][i];
        for (std::size_t i = kSize; i-- > 0;) {
            for (std::size_t k = i + 1; k < kSize; ++k) next[i] -= a[k][i] * next[k];
        }
        const double norm = std::sqrt(dot(next, next, kSize));
        double moved = 0;
        for (std::size_t i = 0; i < kSize; ++i) {
            next[i] /= norm;
            moved = std::max(moved, std::abs(next[i] - vector[i]));
            vector[i] = next[i];
        }
        if (moved < 1e-15) break;
    }
}

// Rows of numbers, one of each match of a piece. Of fixed size, so that the compiler sees that they do not overlap and
// takes two matches at once; and small, so that they stay in the cache until they are summed.
constexpr std::size_t kPiece = 128;
template <std::size_t rows>
using Piece = double[rows][kPiece];

// Of each match the weight, its share in the six kinds of blocks of the normal equations, and the products of its
// coordinates x, y, 1 with each other.
struct Transfers {
    double weight[kPiece];
    Piece<6> kinds;
    Piece<6> products;
};

void weigh(const double* h, const Columns& matches, std::size_t first, std::size_t n, const double* factors,
           double scale, Transfers& out) {
    const double h0 = h[0], h1 = h[1], h2 = h[2], h3 = h[3], h4 = h[4], h5 = h[5], h6 = h[6], h7 = h[7], h8 = h[8];
    const double *x0 = matches.x0 + first, *y0 = x0 + matches.n, *x1 = matches.x1 + first, *y1 = x1 + matches.n;
    for (std::size_t i = 0; i < n; ++i) {
        const double x = x0[i], y = y0[i], u = x1[i], v = y1[i];
        // The two errors of a match are linear in h; [[a, b], [b, c]] is their covariance if the points' is 1.
        const double w = h6 * x + h7 * y + h8;
        const double e = h0 * x + h1 * y + h2 - u * w, f = h3 * x + h4 * y + h5 - v * w;
        const double ex = h0 - u * h6, ey = h1 - u * h7, fx = h3 - v * h6, fy = h4 - v * h7;
        const double a = ex * ex + ey * ey + w * w, b = ex * fx + ey * fy, c = fx * fx + fy * fy + w * w;
        const double area = a * c - b * b;
        const double inverse = 1 / (area < 1e-12 ? 1e-12 : area);  // in units of the spread; 0 on the horizon
        const double weight = weight_of((c * e * e - 2 * b * e * f + a * f * f) * inverse, scale);
        const double share = weight * inverse;
        const double p = c * share, q = -b * share, r = a * share;
        const double pu_qv = p * u + q * v, qu_rv = q * u + r * v;
        out.weight[i] = weight;
        out.kinds[0][i] = p;
        out.kinds[1][i] = q;
        out.kinds[2][i] = r;
        out.kinds[3][i] = -pu_qv;
        out.kinds[4][i] = -qu_rv;
        out.kinds[5][i] = u * pu_qv + v * qu_rv;
        out.products[0][i] = x * x;
        out.products[1][i] = x * y;
        out.products[2][i] = x;
        out.products[3][i] = y * y;
        out.products[4][i] = y;
        out.products[5][i] = 1;
    }
    if (factors == nullptr) return;
    for (auto& kind : out.kinds) {
        for (std::size_t i = 0; i < n; ++i) kind[i] *= factors[first + i];
    }
}

// Of each match the weight, and the error and the error by the nine entries, both over the standard deviation and
// times the root of the weight.
struct Lines {
    double weight[kPiece];
    double error[kPiece];
    Piece<kSize> entries;
};

void weigh(const double* m, const Columns& matches, std::size_t first, std::size_t n, double scale, Lines& out) {
    const double m0 = m[0], m1 = m[1], m2 = m[2], m3 = m[3], m4 = m[4], m5 = m[5], m6 = m[6], m7 = m[7], m8 = m[8];
    const double *x0 = matches.x0 + first, *y0 = x0 + matches.n, *x1 = matches.x1 + first, *y1 = x1 + matches.n;
    for (std::size_t i = 0; i < n; ++i) {
        const double x = x0[i], y = y0[i], u = x1[i], v = y1[i];
        const double a1 = m0 * x + m1 * y + m2, b1 = m3 * x + m4 * y + m5;
        const double a0 = m0 * u + m3 * v + m6, b0 = m1 * u + m4 * v + m7;
        const double value = a1 * u + b1 * v + (m6 * x + m7 * y + m8);
        const double slope = (a1 * a1 + b1 * b1) + (a0 * a0 + b0 * b0);
        const double inverse = 1 / (slope < kLeast ? kLeast : slope);
        const double weight = weight_of(value * value * inverse, scale);
        // By the nine entries: the value by them is x1 x0', half the square lines1 x0' + x1 lines0'. What has no
        // weight may be infinite.
        const double root = std::sqrt(weight * inverse), part = weight > 0 ? value * inverse : 0.0;
        const double la1 = a1 * part, lb1 = b1 * part, la0 = a0 * part, lb0 = b0 * part;
        out.weight[i] = weight;
        out.error[i] = root * value;
        out.entries[0][i] = root * (u * x - la1 * x - u * la0);
        out.entries[1][i] = root * (u * y - la1 * y - u * lb0);
        out.entries[2][i] = root * (u - la1);
        out.entries[3][i] = root * (v * x - lb1 * x - v * la0);
        out.entries[4][i] = root * (v * y - lb1 * y - v * lb0);
        out.entries[5][i] = root * (v - lb1);
        out.entries[6][i] = root * (x - la0);
        out.entries[7][i] = root * (y - lb0);
        out.entries[8][i] = root;
    }
}

// Moves a homography of norm 1 between matches around their centres, in a unit in which they spread over about 1.
void descend(double* h, const Columns& matches, const double* factors, double max_error, double stable, int steps) {
    const double scale = 1 / (0.25 * max_error * max_error);
    Transfers piece;
    for (int step = 0; step < steps; ++step) {
        // The 9 x 9 normal equations are six kinds of moments of the points, 3 x 3 each.
        double moments[6][6] = {}, total = 0, squares = 0;
        for (std::size_t first = 0; first < matches.n; first += kPiece) {
            const std::size_t n = std::min(kPiece, matches.n - first);
            weigh(h, matches, first, n, factors, scale, piece);
            for (std::size_t kind = 0; kind < 6; ++kind) {
                for (std::size_t product = 0; product < 6; ++product) {
                    moments[kind][product] += dot(piece.kinds[kind], piece.products[product], n);
                }
            }
            total += dot(piece.weight, piece.products[5], n);
            squares += dot(piece.weight, piece.weight, n);
        }
        static constexpr std::size_t kKinds[3][3] = {{0, 1, 3}, {1, 2, 4}, {3, 4, 5}};
        static constexpr std::size_t kProducts[3][3] = {{0, 1, 2}, {1, 3, 4}, {2, 4, 5}};
        double normal[kSize][kSize], sum = 0;
        for (std::size_t i = 0; i < kSize; ++i) {
            for (std::size_t j = 0; j < kSize; ++j) {
                normal[i][j] = moments[kKinds[i / 3][j / 3]][kProducts[i % 3][j % 3]];
                sum += normal[i][j];
            }
        }
        if (!std::isfinite(sum) || !(total > 0)) return;
        double best[kSize];
        least_eigenvector(normal, h, best);
        const double side = std::copysign(1.0, dot(best, h, kSize)), far = stride(total, squares, 2);
        double moved = 0;
        for (std::size_t k = 0; k < kSize; ++k) {
            const double move = best[k] * side - h[k];
            moved = std::max(moved, std::abs(move));
            h[k] += far * move;
        }
        if (moved <= stable * std::abs(h[8])) return;
    }
}

// The product of two 3 x 3 matrices, by rows.
void multiply(const double* a, const double* b, double* product) {
    for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 3; ++j) {
            product[3 * i + j] = a[3 * i] * b[j] + a[3 * i + 1] * b[3 + j] + a[3 * i + 2] * b[6 + j];
        }
    }
}

}  // namespace

void refine_homography(double* matrix, const double* xy0, const double* xy1, std::size_t n, const double* factors,
                       const Refinement& how) {
    std::vector<double> storage(6 * n);
    double* distance = storage.data();
    transfer_residuals(matrix, xy0, xy1, n, distance);
    std::size_t m = 0;
    for (std::size_t i = 0; i < n; ++i) m += distance[i] <= how.reach;
    if (m < 4) return;
    // x0, y0, x1, y1 of those near, and their factors.
    double *columns = distance + n, *factor = columns + 4 * m;
    double centre[4] = {};
    for (std::size_t i = 0, k = 0; i < n; ++i) {
        if (!(distance[i] <= how.reach)) continue;
        const double point[4] = {xy0[2 * i], xy0[2 * i + 1], xy1[2 * i], xy1[2 * i + 1]};
        for (std::size_t c = 0; c < 4; ++c) {
            columns[c * m + k] = point[c];
            centre[c] += point[c];
        }
        if (factors != nullptr) factor[k] = factors[i];
        ++k;
    }
    // Around their centres, in one unit for both photos, so that distances keep their proportion.
    double spread = 0;
    for (std::size_t c = 0; c < 4; ++c) {
        double* column = columns + c * m;
        centre[c] /= static_cast<double>(m);
        for (std::size_t k = 0; k < m; ++k) column[k] -= centre[c];
        spread += dot(column, column, m);
    }
    const double unit = std::sqrt(spread / static_cast<double>(m));
    if (!(unit > 0)) return;
    for (std::size_t k = 0; k < 4 * m; ++k) columns[k] /= unit;
    const double from0[9] = {unit, 0, centre[0], 0, unit, centre[1], 0, 0, 1};
    const double from1[9] = {unit, 0, centre[2], 0, unit, centre[3], 0, 0, 1};
    const double to0[9] = {1 / unit, 0, -centre[0] / unit, 0, 1 / unit, -centre[1] / unit, 0, 0, 1};
    const double to1[9] = {1 / unit, 0, -centre[2] / unit, 0, 1 / unit, -centre[3] / unit, 0, 0, 1};
    double half[9], h[9];
    multiply(to1, matrix, half);
    multiply(half, from0, h);
    const double norm = std::sqrt(dot(h, h, 9));
    for (double& entry : h) entry /= norm;
    descend(h, {columns, columns + 2 * m, m}, factors == nullptr ? nullptr : factor, how.max_error / unit,
            how.stable / unit, how.steps);
    multiply(from1, h, half);
    multiply(half, to0, matrix);
}

EpipolarNormal epipolar_normal(const double* matrix, const double* ways, std::size_t k, const Columns& matches,
                               double max_error) {
    const double scale = 1 / (0.25 * max_error * max_error);
    Lines piece;
    Piece<kSize> gradient;
    EpipolarNormal found{};
    for (std::size_t first = 0; first < matches.n; first += kPiece) {
        const std::size_t n = std::min(kPiece, matches.n - first);
        weigh(matrix, matches, first, n, scale, piece);
        for (std::size_t i = 0; i < n; ++i) {
            found.total += piece.weight[i];
            found.near += piece.weight[i] > 0;
        }
        found.squares += dot(piece.weight, piece.weight, n);
        for (std::size_t way = 0; way < k; ++way) {
            const double* by = ways + kSize * way;
            const auto& e = piece.entries;
            for (std::size_t i = 0; i < n; ++i) {
                gradient[way][i] = by[0] * e[0][i] + by[1] * e[1][i] + by[2] * e[2][i] + by[3] * e[3][i] +
                                   by[4] * e[4][i] + by[5] * e[5][i] + by[6] * e[6][i] + by[7] * e[7][i] +
                                   by[8] * e[8][i];
            }
            found.right[way] += dot(gradient[way], piece.error, n);
            for (std::size_t other = 0; other <= way; ++other) {
                found.equations[k * way + other] += dot(gradient[way], gradient[other], n);
            }
        }
    }
    for (std::size_t way = 0; way < k; ++way) {
        for (std::size_t other = 0; other < way; ++other) {
            found.equations[k * other + way] = found.equations[k * way + other];
        }
    }
    return found;
}

}  // namespace tiepoint
