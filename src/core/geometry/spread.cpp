#include "spread.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace tiepoint {
namespace {

using Point = std::pair<double, double>;

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1) return *middle;
    return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

// Twice the area, with its sign, of the triangle of three points.
double turn_of(const Point& a, const Point& b, const Point& c) {
    return (b.first - a.first) * (c.second - b.second) - (b.second - a.second) * (c.first - b.first);
}

// Twice the area below one side of the hull, of points in the order of x: Andrew's chain.
template <class Iterator>
double below_chain(Iterator begin, Iterator end, std::vector<Point>& chain) {
    chain.clear();
    for (; begin != end; ++begin) {
        while (chain.size() > 1 && turn_of(chain[chain.size() - 2], chain.back(), *begin) <= 0) chain.pop_back();
        chain.push_back(*begin);
    }
    double area = 0;
    for (std::size_t k = 1; k < chain.size(); ++k) {
        area += chain[k - 1].first * chain[k].second - chain[k - 1].second * chain[k].first;
    }
    return area;
}

// Drops most of what is inside: points within the polygon of the extremes along eight directions. To sort all of them
// takes several times as long, since no branch of a sort can be foreseen.
std::vector<Point> outer(const std::vector<double>& x, const std::vector<double>& y) {
    static constexpr double kDirections[8][2] = {{1, 0}, {1, 1}, {0, 1}, {-1, 1}, {-1, 0}, {-1, -1}, {0, -1}, {1, -1}};
    const std::size_t n = x.size();
    double corners[9][2];
    for (std::size_t k = 0; k < 8; ++k) {
        const double dx = kDirections[k][0], dy = kDirections[k][1];
        std::size_t farthest = 0;
        for (std::size_t i = 1; i < n; ++i) {
            if (dx * x[i] + dy * y[i] > dx * x[farthest] + dy * y[farthest]) farthest = i;
        }
        corners[k][0] = x[farthest];
        corners[k][1] = y[farthest];
    }
    std::copy(corners[0], corners[1], corners[8]);
    std::vector<double> inside(n, 1);  // the least of: above 0, and so to the left of an edge
    for (std::size_t k = 0; k < 8; ++k) {
        const double ax = corners[k][0], ay = corners[k][1], ex = corners[k + 1][0] - ax, ey = corners[k + 1][1] - ay;
        if (ex == 0 && ey == 0) continue;
        for (std::size_t i = 0; i < n; ++i) {
            const double left = ex * (y[i] - ay) - ey * (x[i] - ax);
            inside[i] = left < inside[i] ? left : inside[i];
        }
    }
    std::vector<Point> points;
    for (std::size_t i = 0; i < n; ++i) {
        if (!(inside[i] > 0)) points.emplace_back(x[i], y[i]);
    }
    return points;
}

}  // namespace

double spread_area(const float* xy, std::size_t n) {
    if (n < 3) return 0;
    std::vector<double> x(n), y(n);
    for (std::size_t i = 0; i < n; ++i) {
        x[i] = xy[2 * i];
        y[i] = xy[2 * i + 1];
    }
    const double middle_x = median(x), middle_y = median(y);
    std::vector<std::pair<double, std::size_t>> apart(n);  // of equals the first counts as nearer
    for (std::size_t i = 0; i < n; ++i) {
        const double dx = x[i] - middle_x, dy = y[i] - middle_y;
        apart[i] = {dx * dx + dy * dy, i};
    }
    const std::size_t kept = n - n / 10;
    std::nth_element(apart.begin(), apart.begin() + static_cast<std::ptrdiff_t>(kept - 1), apart.end());
    std::vector<double> near_x(kept), near_y(kept);
    for (std::size_t k = 0; k < kept; ++k) {
        near_x[k] = x[apart[k].second];
        near_y[k] = y[apart[k].second];
    }
    std::vector<Point> points = outer(near_x, near_y), chain;
    if (points.empty()) return 0;  // all at one place
    std::sort(points.begin(), points.end());
    chain.reserve(points.size());
    return 0.5 * std::abs(below_chain(points.begin(), points.end(), chain) +
                          below_chain(points.rbegin(), points.rend(), chain));
}

}  // namespace tiepoint
