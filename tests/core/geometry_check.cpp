// The kernels of geometry against their definitions, without Python; part of self_check.cpp.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <utility>
#include <vector>

#include "geometry/alike.hpp"
#include "geometry/refine.hpp"
#include "geometry/residuals.hpp"
#include "geometry/spread.hpp"

using namespace tiepoint;

namespace {

std::mt19937 random_bits(12);
const double kHomography[9] = {0.9, 0.1, 20, -0.05, 0.95, 30, 1e-4, 5e-5, 1};

double uniform(double from, double to) { return std::uniform_real_distribution<double>(from, to)(random_bits); }

bool near(double a, double b, double tolerance) { return std::abs(a - b) <= tolerance * (1 + std::abs(b)); }

// Where the homography takes a point is at no distance, and what is refined from nearby comes back to it.
bool homographies(std::size_t n, bool weighed) {
    std::vector<double> xy0(2 * n), xy1(2 * n), distance(n), factors(n, 0.5);
    for (std::size_t i = 0; i < n; ++i) {
        const double x = xy0[2 * i] = uniform(0, 600), y = xy0[2 * i + 1] = uniform(0, 600), *h = kHomography;
        const double w = h[6] * x + h[7] * y + h[8];
        xy1[2 * i] = (h[0] * x + h[1] * y + h[2]) / w;
        xy1[2 * i + 1] = (h[3] * x + h[4] * y + h[5]) / w;
    }
    transfer_residuals(kHomography, xy0.data(), xy1.data(), n, distance.data());
    for (const double d : distance) {
        if (!near(d, 0, 1e-9)) return false;
    }
    double refined[9];
    for (int k = 0; k < 9; ++k) refined[k] = kHomography[k] * (1 + uniform(-1e-4, 1e-4));
    refine_homography(refined, xy0.data(), xy1.data(), n, weighed ? factors.data() : nullptr, {2, 20, 1e-9, 10});
    for (int k = 0; k < 9 && n > 12; ++k) {
        if (!near(refined[k] / refined[8], kHomography[k], 1e-6)) return false;
    }
    return true;
}

// The sums of one step, by a loop over the matches in the plainest order.
bool lines(std::size_t n) {
    std::vector<double> x0(2 * n), x1(2 * n), xy0(2 * n), xy1(2 * n), distance(n);
    double matrix[9], ways[45];
    for (double& value : matrix) value = uniform(-1, 1);
    for (double& value : ways) value = uniform(-1, 1);
    for (std::size_t i = 0; i < n; ++i) {
        x0[i] = xy0[2 * i] = uniform(-1, 1);
        x0[n + i] = xy0[2 * i + 1] = uniform(-1, 1);
        x1[i] = xy1[2 * i] = uniform(-1, 1);
        x1[n + i] = xy1[2 * i + 1] = uniform(-1, 1);
    }
    epipolar_residuals(matrix, xy0.data(), xy1.data(), n, distance.data());
    double total = 0, right = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const double scaled = distance[i] * distance[i] / 0.25, weight = (scaled <= 9 ? 1.0 : 0.0) / (1 + scaled);
        total += weight;
        // By how much a small step along the first direction changes half the squared distance.
        double after[2];
        for (int side = 0; side < 2; ++side) {
            double moved[9];
            for (int k = 0; k < 9; ++k) moved[k] = matrix[k] + (side == 0 ? 1e-6 : -1e-6) * ways[k];
            epipolar_residuals(moved, &xy0[2 * i], &xy1[2 * i], 1, &after[side]);
        }
        right += weight * (after[0] * after[0] - after[1] * after[1]) / 4e-6;
    }
    const EpipolarNormal found = epipolar_normal(matrix, ways, 5, {x0.data(), x1.data(), n}, 1);
    return near(found.total, total, 1e-9) && near(found.right[0], right, 1e-4) &&
           found.equations[1] == found.equations[5];
}

bool alike(std::size_t n, std::size_t step) {
    std::vector<double> turn(n), growth(n);
    for (double& value : turn) value = std::round(uniform(-180, 179));
    for (double& value : growth) value = std::round(uniform(-8, 8)) / 4;
    std::vector<std::int64_t> counts((n + step - 1) / step);
    count_alike(turn.data(), growth.data(), n, step, 30, 0.7, counts.data());
    for (std::size_t q = 0; q < n; q += step) {
        std::int64_t count = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const double off = std::abs(turn[i] - turn[q]);
            count += (off <= 30 || off >= 330) && std::abs(growth[i] - growth[q]) <= 0.7;
        }
        if (counts[q / step] != count) return false;
    }
    return true;
}

// A keypoint that turns and grows as the plane does goes along; the same a quarter turn on does not.
bool along(std::size_t n) {
    const double turned[9] = {0, -2, 50, 2, 0, 10, 0, 0, 1};  // a quarter turn, twice as large
    std::vector<float> xy0(2 * n), angle0(n), angle1(n), size0(n, 3), size1(n, 6);
    for (float& value : xy0) value = static_cast<float>(uniform(0, 600));
    for (std::size_t i = 0; i < n; ++i) {
        angle0[i] = static_cast<float>(uniform(0, 360));
        angle1[i] = std::fmod(angle0[i] + (i % 2 == 0 ? 90.0F : 180.0F), 360.0F);
    }
    std::vector<std::uint8_t> found(n);
    carried_along(turned, {xy0.data(), angle0.data(), angle1.data(), size0.data(), size1.data()}, n, 30, 0.7,
                  found.data());
    for (std::size_t i = 0; i < n; ++i) {
        if (found[i] != (i % 2 == 0)) return false;
    }
    return true;
}

// Angles are those of gradients: squeezed to a quarter from left to right, one of 45 degrees is one of 14, not of 76.
bool squeezed() {
    const double quarter[9] = {-0.25, 0, 0, 0, -1, 0, 0, 0, -1};
    const float xy0[4] = {40, 20, 80, 50}, angle0[2] = {45, 45}, angle1[2] = {14, 76}, size0[2] = {4, 4}, size1[2] = {2, 2};
    std::uint8_t found[2];
    carried_along(quarter, {xy0, angle0, angle1, size0, size1}, 2, 30, 0.7, found);
    return found[0] == 1 && found[1] == 0;
}

// A square full of points, and one in ten far away.
bool area(std::size_t n) {
    std::vector<float> xy;
    for (const auto& [x, y] : {std::pair{0.F, 0.F}, {8.F, 0.F}, {8.F, 8.F}, {0.F, 8.F}}) xy.insert(xy.end(), {x, y});
    while (xy.size() < 2 * n) {
        const bool far = xy.size() / 2 < 4 + n / 10;
        for (int k = 0; k < 2; ++k) xy.push_back(far ? 1e4F : static_cast<float>(std::round(uniform(0, 8))));
    }
    return near(spread_area(xy.data(), n), 64, 1e-12);
}

}  // namespace

// Returns how many checks failed, and adds to their number.
int check_geometry(int& checks) {
    int failures = 0;
    const auto count = [&](bool right, const char* what, std::size_t n) {
        ++checks;
        if (right) return;
        ++failures;
        std::printf("%s differs: %zu\n", what, n);
    };
    for (const std::size_t n : {0, 1, 2, 3, 4, 5, 16, 127, 128, 129, 300, 1001}) {
        count(homographies(n, n % 2 == 0), "the homography", n);
        count(lines(n), "the epipolar step", n);
        count(alike(n, 1) && alike(n, 3), "what turns alike", n);
        count(along(n), "what goes along", n);
        if (n > 4) count(area(n), "the area", n);
    }
    count(squeezed(), "what goes along a squeezed plane", 2);
    return failures;
}
