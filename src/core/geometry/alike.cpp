#include "alike.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace tiepoint {
namespace {

using Ranked = std::vector<std::pair<double, std::size_t>>;

Ranked ranked(const double* values, std::size_t n) {
    Ranked result(n);
    for (std::size_t i = 0; i < n; ++i) result[i] = {values[i], i};
    std::sort(result.begin(), result.end());
    return result;
}

// How many of a changing set have a rank below another: Fenwick, "A new data structure for cumulative frequency
// tables", 1994.
class Counts {
public:
    explicit Counts(std::size_t n) : sums_(n + 1) {}

    void add(std::size_t rank, std::int64_t change) {
        for (std::size_t at = rank + 1; at < sums_.size(); at += at & (~at + 1)) sums_[at] += change;
    }

    std::int64_t below(std::size_t rank) const {
        std::int64_t count = 0;
        for (std::size_t at = rank; at > 0; at -= at & (~at + 1)) count += sums_[at];
        return count;
    }

private:
    std::vector<std::int64_t> sums_;
};

}  // namespace

// Comparing all with all takes several times as long from some hundred matches on. Here those that grow alike are a
// window that slides over the matches in the order of their growth, and what counts in it is one or two ranges of turns.
void count_alike(const double* turn, const double* growth, std::size_t n, std::size_t step, double most_turn,
                 double most_growth, std::int64_t* counts) {
    const Ranked by_turn = ranked(turn, n), by_growth = ranked(growth, n);
    std::vector<double> turns(n);
    std::vector<std::size_t> rank(n);
    for (std::size_t k = 0; k < n; ++k) {
        turns[k] = by_turn[k].first;
        rank[by_turn[k].second] = k;
    }
    const auto under = [&turns](double value) {
        return static_cast<std::size_t>(std::lower_bound(turns.begin(), turns.end(), value) - turns.begin());
    };
    const auto up_to = [&turns](double value) {
        return static_cast<std::size_t>(std::upper_bound(turns.begin(), turns.end(), value) - turns.begin());
    };
    Counts window(n);
    std::size_t first = 0, last = 0;
    for (const auto& [my_growth, i] : by_growth) {
        if (i % step != 0) continue;
        for (; last < n && by_growth[last].first <= my_growth + most_growth; ++last) {
            window.add(rank[by_growth[last].second], 1);
        }
        for (; by_growth[first].first < my_growth - most_growth; ++first) window.add(rank[by_growth[first].second], -1);
        // What is beyond half a turn comes in again from the other end.
        const double from = turn[i] - most_turn, to = turn[i] + most_turn;
        std::int64_t count = window.below(up_to(to)) - window.below(under(from));
        if (to - 360 >= turns.front()) count += window.below(up_to(to - 360));
        if (from + 360 <= turns.back()) {
            count += static_cast<std::int64_t>(last - first) - window.below(under(from + 360));
        }
        counts[i / step] = count;
    }
}

void carried_along(const double* m, const Keypoints& keypoints, std::size_t n, double most_turn, double most_growth,
                   std::uint8_t* along) {
    constexpr double kDegree = 3.14159265358979323846 / 180;
    const double least_cos = std::cos(kDegree * most_turn), most_factor = std::exp2(2 * most_growth);
    for (std::size_t i = 0; i < n; ++i) {
        const double x = keypoints.xy0[2 * i], y = keypoints.xy0[2 * i + 1];
        const double w = m[6] * x + m[7] * y + m[8];
        const double u = (m[0] * x + m[1] * y + m[2]) / w, v = (m[3] * x + m[4] * y + m[5]) / w;
        // Times w, the derivatives of u and v by x and y.
        const double a = m[0] - u * m[6], b = m[1] - u * m[7], c = m[3] - v * m[6], d = m[4] - v * m[7];
        const double angle0 = kDegree * keypoints.angle0[i], angle1 = kDegree * keypoints.angle1[i];
        const double cos0 = std::cos(angle0), sin0 = std::sin(angle0);
        const double area = a * d - b * c;
        // A gradient goes by the inverse of the derivative, transposed; of that the direction is enough.
        const double across = d * cos0 - c * sin0, down = a * sin0 - b * cos0;
        const double along_it = across * std::cos(angle1) + down * std::sin(angle1);
        const double straight = (w < 0) == (area < 0) ? along_it : -along_it;
        // Areas, for which an octave counts twice. On the horizon nothing is as expected.
        const double ratio = double{keypoints.size1[i]} / keypoints.size0[i];
        const double grown = ratio * ratio, expected = std::abs(area) / (w * w);
        along[i] = straight >= least_cos * std::sqrt(across * across + down * down) && expected > 0 &&
                   grown <= expected * most_factor && grown * most_factor >= expected;
    }
}

}  // namespace tiepoint
