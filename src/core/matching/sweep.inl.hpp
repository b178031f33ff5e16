// One pass over tiles of rows x columns, for any kind of descriptor: each row's and each column's best.
//
// A kind ("measure") says how a word of a row and a word of a column add to a sum, and how a sum becomes a
// distance in the high bits of a 32-bit key. The low `key_bits` hold a position, so that best, second best and
// their indices are plain minima and maxima of integers: comparing and blending indices apart would take more
// instructions than a Hamming distance does.
//
// A row's key holds the number of the column *vector* within the tile; the lane says which column of it. A
// column's key holds the number of the row within the tile.
#pragma once

#include "../kernels.hpp"

namespace tiepoint {
namespace {

// Binary descriptors; no more than kCountWords words.
struct FewBits {
    using Sum = U32;
    static constexpr int kRows = kBitRows, kVectors = kBitVectors;
    static constexpr std::size_t kTop = kTopIntegers;
    static Sum zero() { return splat(0); }
    static void step(Sum& sum, U32 row, U32 column) { sum = count_bits(sum, differ(row, column)); }
    static void flush(Sum&) {}
    static U32 key(Sum sum, U32, U32, int key_bits) { return shift_left(bits_counted(sum), key_bits); }
};

// Binary descriptors of any width.
struct ManyBits {
    struct Sum {
        U32 counter, total;
    };
    static constexpr int kRows = kBitRows, kVectors = kBitVectors;
    static constexpr std::size_t kTop = kTopIntegers;
    static Sum zero() { return {splat(0), splat(0)}; }
    static void step(Sum& sum, U32 row, U32 column) { sum.counter = count_bits(sum.counter, differ(row, column)); }
    static void flush(Sum& sum) { sum = {splat(0), add(sum.total, bits_counted(sum.counter))}; }
    static U32 key(Sum sum, U32, U32, int key_bits) {
        return shift_left(add(sum.total, bits_counted(sum.counter)), key_bits);
    }
};

// uint8, squared Euclidean: |a|^2 + |b|^2 - 2 a.b, whose multiplications are all in the dot product. The terms
// come shifted by key_bits, and all is counted modulo 2^32.
struct Bytes {
    using Sum = U32;
    static constexpr int kRows = kByteRows, kVectors = kByteVectors;
    static constexpr std::size_t kTop = kTopIntegers;
    static Sum zero() { return splat(0); }
    static void step(Sum& sum, U32 row, U32 column) { sum = add_products(sum, row, column); }
    static void flush(Sum&) {}
    static U32 key(Sum sum, U32 row_term, U32 column_term, int key_bits) {
        return sub(add(row_term, column_term), shift_left(sum, key_bits + 1));
    }
};

// float32, squared Euclidean, likewise. Floats that are not negative are ordered as their bits are; the last
// key_bits of them give way to the position.
struct Floats {
    using Sum = F32;
    static constexpr int kRows = kFloatRows, kVectors = kFloatVectors;
    static constexpr std::size_t kTop = kTopFloats;
    static Sum zero() { return float_zero(); }
    static void step(Sum& sum, U32 row, U32 column) { sum = multiply_add(as_float(row), as_float(column), sum); }
    static void flush(Sum&) {}
    static U32 key(Sum sum, U32 row_term, U32 column_term, int key_bits) {
        const F32 norms = add(as_float(row_term), as_float(column_term));
        const F32 squared = multiply_add(splat_float(-2.0f), sum, norms);
        return both(as_bits(most(squared, float_zero())), splat(~((1u << key_bits) - 1)));
    }
};

// float32 rounded to 16 bits, two to a word: twice the multiplications. Squared Euclidean as above, in whole numbers.
struct Shorts {
    using Sum = U32;
    static constexpr int kRows = kByteRows, kVectors = kByteVectors;
    static constexpr std::size_t kTop = kTopFloats;
    static Sum zero() { return splat(0); }
    static void step(Sum& sum, U32 row, U32 column) { sum = add_short_products(sum, row, column); }
    static void flush(Sum&) {}
    static U32 key(Sum sum, U32 row_term, U32 column_term, int key_bits) {
        return both(sub(add(row_term, column_term), add(sum, sum)), splat(~((1u << key_bits) - 1)));
    }
};

template <std::size_t kTop>
struct Best {
    U32 keys[kTop];

    inline void insert(U32 key) {
        for (std::size_t t = 0; t + 1 < kTop; ++t) {
            const U32 rest = most(keys[t], key);
            keys[t] = least(keys[t], key);
            key = rest;
        }
        keys[kTop - 1] = least(keys[kTop - 1], key);
    }
};

template <std::size_t kTop>
inline void insert_key(std::uint64_t* best, std::uint64_t key) {
    for (std::size_t t = 0; t < kTop; ++t) {
        if (key < best[t]) {
            const std::uint64_t rest = best[t];
            best[t] = key;
            key = rest;
        }
    }
}

// kRows rows, from `top` on, against the columns left..right of one tile.
template <class Measure, int kRows, std::size_t kColumnTop>
inline void sweep_rows(const Sweep& s, std::size_t top, std::size_t left, std::size_t right) {
    constexpr int kVectors = Measure::kVectors;
    constexpr std::size_t kTop = Measure::kTop;
    const std::size_t words = s.words;
    const std::uint32_t* rows = s.rows + top * words;
    Best<kTop> row_best[kRows];
    for (int r = 0; r < kRows; ++r) {
        for (std::size_t t = 0; t < kTop; ++t) row_best[r].keys[t] = splat(~0u);
    }
    std::uint32_t number = 0;  // of the column vector
    for (std::size_t column = left; column < right; column += kLanes * kVectors) {
        const std::uint32_t* vectors[kVectors];
        for (int c = 0; c < kVectors; ++c) {
            const std::size_t at = column + static_cast<std::size_t>(c * kLanes);
            vectors[c] = s.columns + at / kBlock * kBlock * words + at % kBlock;
        }
        typename Measure::Sum sums[kRows][kVectors];
        for (int r = 0; r < kRows; ++r) {
            for (int c = 0; c < kVectors; ++c) sums[r][c] = Measure::zero();
        }
        for (std::size_t start = 0; start < words;) {
            const std::size_t end = words - start > kCountWords ? start + kCountWords : words;
            for (std::size_t w = start; w < end; ++w) {
                U32 loaded[kVectors];
                for (int c = 0; c < kVectors; ++c) loaded[c] = load(vectors[c] + w * kBlock);
                for (int r = 0; r < kRows; ++r) {
                    const U32 word = splat(rows[static_cast<std::size_t>(r) * words + w]);
                    for (int c = 0; c < kVectors; ++c) Measure::step(sums[r][c], word, loaded[c]);
                }
            }
            start = end;
            if (start < words) {
                for (int r = 0; r < kRows; ++r) {
                    for (int c = 0; c < kVectors; ++c) Measure::flush(sums[r][c]);
                }
            }
        }
        for (int c = 0; c < kVectors; ++c) {
            const std::size_t at = column + static_cast<std::size_t>(c * kLanes);
            const U32 position = either(splat(number++), load(s.padding + at));
            const U32 column_term = load(s.column_terms + at);
            Best<kColumnTop> column_best;
            std::uint32_t* kept = s.column_keys + (at - left);
            for (std::size_t t = 0; t < kColumnTop; ++t) column_best.keys[t] = load(kept + t * s.tile);
            for (int r = 0; r < kRows; ++r) {
                const std::size_t row = top + static_cast<std::size_t>(r);
                const U32 key = Measure::key(sums[r][c], splat(s.row_terms[row]), column_term, s.key_bits);
                row_best[r].insert(either(key, position));
                column_best.insert(either(key, splat(static_cast<std::uint32_t>(row))));
            }
            for (std::size_t t = 0; t < kColumnTop; ++t) store(kept + t * s.tile, column_best.keys[t]);
        }
    }
    // Across the lanes. After a few tiles hardly anything gets in, and one comparison a lane is all.
    const std::uint32_t low = (1u << s.key_bits) - 1;
    for (int r = 0; r < kRows; ++r) {
        std::uint64_t* best = s.row_best + (top + static_cast<std::size_t>(r)) * kTop;
        std::uint32_t keys[kTop][kLanes];
        for (std::size_t t = 0; t < kTop; ++t) store(keys[t], row_best[r].keys[t]);
        for (std::uint32_t lane = 0; lane < kLanes; ++lane) {
            for (std::size_t t = 0; t < kTop; ++t) {
                const std::uint32_t key = keys[t][lane];
                if (key == ~0u) break;
                const std::uint64_t index = left + (key & low) * std::uint64_t{kLanes} + lane;
                const std::uint64_t whole = std::uint64_t{key >> s.key_bits} << 32 | index;
                if (whole >= best[kTop - 1]) break;
                insert_key<kTop>(best, whole);
            }
        }
    }
}

template <class Measure, std::size_t kColumnTop>
void sweep_to(const Sweep& s) {
    constexpr std::size_t kRows = Measure::kRows;
    const std::uint32_t low = (1u << s.key_bits) - 1;
    for (std::size_t left = 0; left < s.padded; left += s.tile) {
        const std::size_t right = s.padded - left > s.tile ? left + s.tile : s.padded;
        for (std::size_t i = 0; i < s.tile * kColumnTop; ++i) s.column_keys[i] = ~0u;
        std::size_t top = 0;
        for (; top + kRows <= s.n_rows; top += kRows) sweep_rows<Measure, Measure::kRows, kColumnTop>(s, top, left, right);
        for (; top < s.n_rows; ++top) sweep_rows<Measure, 1, kColumnTop>(s, top, left, right);

        const std::size_t end = right < s.n_columns ? right : s.n_columns;
        for (std::size_t column = left; column < end; ++column) {
            std::uint64_t* best = s.column_best + column * kColumnTop;
            for (std::size_t t = 0; t < kColumnTop; ++t) {
                const std::uint32_t key = s.column_keys[t * s.tile + column - left];
                if (key == ~0u) break;
                const std::uint64_t whole = std::uint64_t{key >> s.key_bits} << 32 | (s.first_row + (key & low));
                if (whole >= best[kColumnTop - 1]) break;
                insert_key<kColumnTop>(best, whole);
            }
        }
    }
}

template <class Measure>
void sweep(const Sweep& s) {
    if (s.column_top == Measure::kTop) {
        sweep_to<Measure, Measure::kTop>(s);
    } else {
        sweep_to<Measure, Measure::kTop - 1>(s);
    }
}

void sweep_bits(const Sweep& s) {
    if (s.words <= kCountWords) {
        sweep<FewBits>(s);
    } else {
        sweep<ManyBits>(s);
    }
}
void sweep_bytes(const Sweep& s) { sweep<Bytes>(s); }
void sweep_floats(const Sweep& s) { sweep<Floats>(s); }
void sweep_shorts(const Sweep& s) { sweep<Shorts>(s); }

}  // namespace
}  // namespace tiepoint
