// From what the sweep over floats found to exact answers.
//
// A swept distance has lost digits: to rounding, and to the position in its key. The nearest few are computed again,
// directly and in double precision; the last swept distance is a lower bound of all others. Where as many lie below
// it as are wanted, they are the nearest. Else all columns are looked at, roughly first. So the answer is that of double
// precision at every level: equal descriptors are at equal distances, and ties go to the lowest index.
#pragma once

#include "../kernels.hpp"

namespace tiepoint {
namespace {

template <std::size_t kSums, class Real>
inline Real sum_of(const Real* sums) {
    if constexpr (kSums == 1) {
        return sums[0];
    } else {
        return sum_of<kSums / 2>(sums) + sum_of<kSums / 2>(sums + kSums / 2);
    }
}

// The squared distance of (a * scale_a) and (b * scale_b). Several sums side by side, for one would wait for its
// addition, and always in this order: equal numbers give equal sums, at every level.
template <bool kScaled, class Real, std::size_t kSums>
inline Real squared_distance(const float* a, const float* b, std::size_t dimension, Real scale_a, Real scale_b) {
    const auto squared = [&](std::size_t d) {
        const Real x = a[d], y = b[d];
        const Real difference = kScaled ? x * scale_a - y * scale_b : x - y;
        return difference * difference;
    };
    Real sums[kSums] = {};
    std::size_t d = 0;
    for (; d + kSums <= dimension; d += kSums) {
        for (std::size_t k = 0; k < kSums; ++k) sums[k] += squared(d + k);
    }
    for (std::size_t k = 0; d + k < dimension; ++k) sums[k] += squared(d + k);
    return sum_of<kSums>(sums);
}

template <class Real, std::size_t kSums>
inline Real squared_distance(const Settle& s, std::size_t i, std::size_t j) {
    const float* a = s.from->values + i * s.dimension;
    const float* b = s.to->values + j * s.dimension;
    if (s.from->scales == nullptr) return squared_distance<false, Real, kSums>(a, b, s.dimension, 1, 1);
    const double scale_a = s.from->scales[i], scale_b = s.to->scales[j];
    // A vector without direction has one of its own, which it shares with its like only.
    if ((scale_a == 0) != (scale_b == 0)) return 2;
    return squared_distance<true, Real, kSums>(a, b, s.dimension, static_cast<Real>(scale_a), static_cast<Real>(scale_b));
}

inline double exact_squared(const Settle& s, std::size_t i, std::size_t j) { return squared_distance<double, 8>(s, i, j); }
inline float rough_squared(const Settle& s, std::size_t i, std::size_t j) { return squared_distance<float, 16>(s, i, j); }

constexpr double kNone = 1.7976931348623157e308;  // no squared distance of floats comes near

struct TwoNearest {
    std::size_t index = 0;
    double squared = kNone, second_squared = kNone;

    inline double farthest(bool second) const { return second ? second_squared : squared; }

    inline void insert(std::size_t j, double distance) {
        if (distance < squared || (distance == squared && j < index)) {
            second_squared = squared;
            squared = distance;
            index = j;
        } else if (distance < second_squared) {
            second_squared = distance;
        }
    }
};

void settle_floats(const Settle& s) {
    for (std::size_t i = s.first; i < s.last; ++i) {
        const std::uint64_t* keys = s.best + i * s.top;
        TwoNearest nearest;
        std::size_t t = 0;
        while (t < s.top && keys[t] != kNoKey && s.least[i * s.top + t] <= nearest.farthest(s.second)) {
            if (t == s.top - 1) {  // there may be others as near
                const double norms = s.from->scales == nullptr ? s.from->squared_norms[i] + s.to->largest : 2;
                const double slack = s.tolerance * norms, limit = nearest.farthest(s.second);
                nearest = TwoNearest();
                for (std::size_t j = 0; j < s.to->n; ++j) {
                    const float rough = rough_squared(s, i, j);  // infinite if it overflowed
                    if (rough - slack > limit && rough - rough == 0) continue;
                    nearest.insert(j, exact_squared(s, i, j));
                }
                break;
            }
            const std::size_t j = static_cast<std::uint32_t>(keys[t++]);
            nearest.insert(j, exact_squared(s, i, j));
        }
        s.index[i] = static_cast<std::int32_t>(nearest.index);
        s.squared[i] = nearest.squared;
        if (s.second && nearest.second_squared < kNone) s.second_squared[i] = nearest.second_squared;
    }
}

}  // namespace
}  // namespace tiepoint
