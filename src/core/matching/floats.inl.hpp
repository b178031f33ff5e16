// From what the sweep over floats found to exact answers.
//
// A swept distance has lost digits, to the expansion |a|^2 + |b|^2 - 2 a.b and to the position in its key. The
// first two are computed again, directly and in double precision; the third swept distance is a lower bound of
// all others. If both lie below it, they are the two nearest. Else all columns that may lie as near are looked
// at. So the answer is that of double precision at every level: equal descriptors are at equal distances, and
// ties go to the lowest index.
#pragma once

#include "../kernels.hpp"

namespace tiepoint {
namespace {

// Four sums side by side, for one would wait for its addition. Always in this order: equal numbers give equal sums.
inline double exact_squared(const Settle& s, std::size_t i, std::size_t j) {
    const float* a = s.from->values + i * s.dimension;
    const float* b = s.to->values + j * s.dimension;
    const double scale_a = s.from->scales[i], scale_b = s.to->scales[j];
    // A vector without direction has one of its own, which it shares with its like only.
    if ((scale_a == 0) != (scale_b == 0)) return 2;
    double sums[4] = {0, 0, 0, 0};
    std::size_t d = 0;
    for (; d + 4 <= s.dimension; d += 4) {
        for (std::size_t k = 0; k < 4; ++k) {
            const double difference = a[d + k] * scale_a - b[d + k] * scale_b;
            sums[k] += difference * difference;
        }
    }
    for (; d < s.dimension; ++d) {
        const double difference = a[d] * scale_a - b[d] * scale_b;
        sums[0] += difference * difference;
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

struct TwoNearest {
    std::size_t index[2];
    double squared[2];
    int found;

    inline void insert(std::size_t j, double distance) {  // in ascending order of j
        if (found == 0 || distance < squared[0]) {
            squared[1] = squared[0];
            index[1] = index[0];
            squared[0] = distance;
            index[0] = j;
        } else if (found == 1 || distance < squared[1]) {
            squared[1] = distance;
            index[1] = j;
        }
        if (found < 2) ++found;
    }
};

// `limit` in the packed numbers' unit.
inline TwoNearest search_again(const Settle& s, std::size_t i, double limit) {
    const FloatSide& to = *s.to;
    const std::uint32_t* row = s.from->columns + i / kBlock * kBlock * to.words + i % kBlock;
    const U32 row_term = splat(s.from->column_terms[i]);
    TwoNearest nearest = {{0, 0}, {0, 0}, 0};
    for (std::size_t column = 0; column < to.n; column += kLanes) {
        const std::uint32_t* vector = to.columns + column / kBlock * kBlock * to.words + column % kBlock;
        F32 sum = float_zero();
        for (std::size_t w = 0; w < to.words; ++w) {
            sum = multiply_add(as_float(splat(row[w * kBlock])), as_float(load(vector + w * kBlock)), sum);
        }
        const F32 norms = add(as_float(row_term), as_float(load(to.column_terms + column)));
        union {
            std::uint32_t bits[kLanes];
            float squared[kLanes];
        } swept;
        store(swept.bits, as_bits(multiply_add(splat_float(-2.0f), sum, norms)));
        for (std::size_t lane = 0; lane < kLanes && column + lane < to.n; ++lane) {
            if (swept.squared[lane] > limit) continue;
            nearest.insert(column + lane, exact_squared(s, i, column + lane));
        }
    }
    return nearest;
}

void settle_floats(const Settle& s) {
    union {
        std::uint32_t bits;
        float value;
    } view;
    const double unit2 = s.unit * s.unit;
    for (std::size_t i = s.first; i < s.last; ++i) {
        const std::uint64_t* keys = s.best + i * kTopFloats;
        TwoNearest nearest = {{0, 0}, {0, 0}, 0};
        std::size_t first = static_cast<std::uint32_t>(keys[0]);
        if (keys[1] == kNoKey) {
            nearest.insert(first, exact_squared(s, i, first));
        } else {
            std::size_t second = static_cast<std::uint32_t>(keys[1]);
            if (second < first) {
                const std::size_t swap = first;
                first = second;
                second = swap;
            }
            nearest.insert(first, exact_squared(s, i, first));
            nearest.insert(second, exact_squared(s, i, second));
        }
        if (keys[2] != kNoKey) {
            view.bits = s.from->column_terms[i];
            const double slack = s.tolerance * (view.value + s.to->largest_norm) + 1e-30;
            view.bits = static_cast<std::uint32_t>(keys[2] >> 32) << kFloatKeyBits;
            const double farther = nearest.squared[1] * unit2;
            if (!(farther < view.value - slack)) nearest = search_again(s, i, farther + slack);
        }
        s.index[i] = static_cast<std::int32_t>(nearest.index[0]);
        s.squared[i] = nearest.squared[0];
        if (nearest.found == 2) s.second_squared[i] = nearest.squared[1];
    }
}

}  // namespace
}  // namespace tiepoint
