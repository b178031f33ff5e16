#include "nearest.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>
#include <stdexcept>

#include "../threads.hpp"

namespace tiepoint {
namespace {

// Half of a second-level cache of 512 KiB: the other half is for rows and keys.
constexpr std::size_t kTileBytes = std::size_t{256} << 10;
// Waking threads takes some 50 microseconds: below so many steps of a word and a word, one does it sooner.
constexpr double kLeastThreadedWork = 16e6;
// So many steps in a task at most: a hundredth of a second, in which Ctrl-C is not heard.
constexpr double kMostTaskWork = 4e9;

bool is_float(Kind kind) { return kind == Kind::floats || kind == Kind::cosine; }

int bits_of(std::uint64_t x) {
    int n = 0;
    for (; x != 0; x >>= 1) ++n;
    return n;
}

float bits_float(std::uint32_t bits) {
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

std::uint32_t float_bits(float x) {
    std::uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
}

// Rounded to 16 bits, with norms of at most this, |a - b|^2 stays below 2^32.
constexpr double kMostShortNorm = 32000;
// Rounding moves a vector by at most half the diagonal of a cell; a float product is not exact either.
double rounded(std::size_t dimension) { return 0.51 * std::sqrt(static_cast<double>(dimension)); }

// Within these, squared norms and their sums are far from a float's limits.
constexpr double kLeastNorm = 0x1p-60, kMostNorm = 0x1p60;

double float_unit(double largest_norm) {
    if (largest_norm == 0 || (largest_norm >= kLeastNorm && largest_norm <= kMostNorm)) return 1;
    return std::ldexp(1.0, -std::ilogb(largest_norm) / 2);
}

// Round values * scale to 16 bits, two to a word, and one more number behind them; returns the squared norm.
std::uint32_t round_row(const float* values, std::size_t dimension, float scale, double extra,
                        std::size_t words, std::uint32_t* words_out) {
    // To nearest, in a way that compilers turn into vectors: 1.5 * 2^23 leaves the whole number in the low bits.
    const auto nearest = [](float x) {
        return static_cast<std::int16_t>(static_cast<std::uint16_t>(float_bits(x + 12582912.0f)));
    };
    constexpr std::size_t kPart = 32;
    std::uint32_t norm = 0;
    for (std::size_t start = 0; start < 2 * words; start += kPart) {
        std::int16_t whole[kPart] = {};
        const std::size_t n = start < dimension ? std::min(kPart, dimension - start) : 0;
        if (n == kPart) {
            for (std::size_t d = 0; d < kPart; ++d) whole[d] = nearest(values[start + d] * scale);
        } else {
            for (std::size_t d = 0; d < n; ++d) whole[d] = nearest(values[start + d] * scale);
        }
        if (dimension - start < kPart) whole[dimension - start] = nearest(static_cast<float>(extra));
        for (std::size_t d = 0; d < kPart; ++d) norm += static_cast<std::uint32_t>(std::int32_t{whole[d]} * whole[d]);
        std::memcpy(words_out + start / 2, whole, 4 * std::min(kPart / 2, words - start / 2));
    }
    return norm;
}

}  // namespace

Norms::Norms(const Descriptors& set, Kind kind) {
    if (!is_float(kind)) return;
    squared.resize(set.n);
    const float* values = static_cast<const float*>(set.data);
    for (std::size_t i = 0; i < set.n; ++i, values += set.dimension) {
        double sums[4] = {};  // side by side, for one would wait for its addition
        std::size_t d = 0;
        for (; d + 4 <= set.dimension; d += 4) {
            for (std::size_t k = 0; k < 4; ++k) sums[k] += static_cast<double>(values[d + k]) * values[d + k];
        }
        for (; d < set.dimension; ++d) sums[0] += static_cast<double>(values[d]) * values[d];
        squared[i] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        largest = std::max(largest, squared[i]);
    }
    if (kind == Kind::floats) {  // numbers much smaller than the largest would lose too much
        const double mean = std::accumulate(squared.begin(), squared.end(), 0.0) / static_cast<double>(set.n);
        roundable = largest >= kLeastNorm && largest <= std::min(kMostNorm, 16 * mean);
        return;
    }
    scales.resize(set.n);
    for (std::size_t i = 0; i < set.n; ++i) {
        scales[i] = squared[i] > 0 ? 1 / std::sqrt(squared[i]) : 0;
        roundable = roundable && (squared[i] == 0 || squared[i] >= kLeastNorm);
    }
}

Packed::Packed(const Descriptors& set, Kind kind_, const Kernels& kernels_, const Threads& threads,
               const Norms* others)
    : descriptors(set), kind(kind_), kernels(kernels_), norms(set, kind_) {
    const std::size_t dimension = set.dimension;
    if (kind == Kind::bits) {
        words = (dimension + 3) / 4;
        key_bits = std::min(12, 32 - bits_of(8 * std::uint64_t{dimension}));
    } else if (kind == Kind::bytes) {
        if (dimension > kMostByteDimensions) throw std::invalid_argument("too many dimensions for bytes");
        const std::size_t per_word = static_cast<std::size_t>(kernels.bytes_per_word);
        words = (dimension + per_word - 1) / per_word;
        key_bits = std::min(12, 32 - bits_of(std::uint64_t{255} * 255 * dimension));
    } else {
        const std::size_t numbers = kind == Kind::cosine ? dimension + 1 : dimension;  // see rows()
        double largest = kind == Kind::cosine ? 1 : norms.largest;
        if (others != nullptr) largest = std::max(largest, others->largest);
        shorts = kernels.shorts_pay && norms.roundable && (others == nullptr || others->roundable);
        unit = shorts ? kMostShortNorm / std::sqrt(largest) : kind == Kind::cosine ? 1 : float_unit(largest);
        words = shorts ? (numbers + 1) / 2 : numbers;
        key_bits = shorts ? 12 : kFloatKeyBits;
    }
    padded = (set.n + kColumnPad - 1) / kColumnPad * kColumnPad;
    columns.resize(padded * words);
    column_terms.resize(padded);
    padding.assign(padded, 0);
    std::fill(padding.begin() + static_cast<std::ptrdiff_t>(set.n), padding.end(), ~0u);

    constexpr std::size_t kBlocksInTask = 16;
    const std::size_t n_blocks = padded / kBlock;
    parallel((n_blocks + kBlocksInTask - 1) / kBlocksInTask, columns.size() < (1u << 18) ? 1 : threads.n,
             [&](std::size_t task, std::size_t) {
                 const std::size_t last = std::min(n_blocks, (task + 1) * kBlocksInTask);
                 for (std::size_t block = task * kBlocksInTask; block < last; ++block) pack_block(block);
             },
             threads.alive);
}

void Packed::pack_block(std::size_t block) {
    const std::size_t first = block * kBlock, last = std::min(first + kBlock, descriptors.n);
    if (first >= last) return;
    std::vector<std::uint32_t> in_rows((last - first) * words);
    rows(descriptors, norms, first, last, in_rows.data(), column_terms.data() + first);
    std::uint32_t* out = columns.data() + first * words;
    const bool shifted = kind == Kind::bytes && kernels.signed_columns;
    for (std::size_t c = 0; c < last - first; ++c) {
        const std::uint32_t* row = in_rows.data() + c * words;
        for (std::size_t w = 0; w < words; ++w) out[w * kBlock + c] = shifted ? row[w] ^ 0x80808080u : row[w];
    }
    if (shifted) {  // the rows' terms make up for the shift; a column's own is its squared norm
        for (std::size_t c = 0; c < last - first; ++c) {
            const auto* bytes = static_cast<const std::uint8_t*>(descriptors.data) + (first + c) * descriptors.dimension;
            std::uint32_t norm = 0;
            for (std::size_t d = 0; d < descriptors.dimension; ++d) norm += std::uint32_t{bytes[d]} * bytes[d];
            column_terms[first + c] = norm << key_bits;
        }
    }
}

void Packed::rows(const Descriptors& set, const Norms& set_norms, std::size_t first, std::size_t last,
                  std::uint32_t* words_out, std::uint32_t* terms_out) const {
    const std::size_t dimension = set.dimension;
    for (std::size_t i = first; i < last; ++i, words_out += words, ++terms_out) {
        if (is_float(kind)) {
            const float* values = static_cast<const float*>(set.data) + i * dimension;
            // For the cosine, a vector without direction gets one that it shares with its like only.
            const bool alone = kind == Kind::cosine && set_norms.scales[i] == 0;
            const double scale = kind == Kind::cosine ? set_norms.scales[i] * unit : unit;
            if (shorts) {
                *terms_out = round_row(values, dimension, static_cast<float>(scale), alone ? unit : 0, words, words_out);
                continue;
            }
            for (std::size_t d = 0; d < dimension; ++d) words_out[d] = float_bits(static_cast<float>(values[d] * scale));
            if (kind == Kind::cosine) words_out[dimension] = float_bits(alone ? 1.0f : 0.0f);
            *terms_out = float_bits(kind == Kind::cosine ? 1.0f : static_cast<float>(set_norms.squared[i] * unit * unit));
            continue;
        }
        const std::uint8_t* bytes = static_cast<const std::uint8_t*>(set.data) + i * dimension;
        if (kind == Kind::bytes && kernels.bytes_per_word == 2) {
            for (std::size_t w = 0; w < dimension / 2; ++w) {
                words_out[w] = bytes[2 * w] | std::uint32_t{bytes[2 * w + 1]} << 16;
            }
            if (dimension % 2 != 0) words_out[words - 1] = bytes[dimension - 1];
        } else {
            words_out[words - 1] = 0;
            std::memcpy(words_out, bytes, dimension);
        }
        *terms_out = 0;
        if (kind == Kind::bytes) {
            std::uint32_t norm = 0, sum = 0;
            for (std::size_t d = 0; d < dimension; ++d) {
                norm += std::uint32_t{bytes[d]} * bytes[d];
                sum += bytes[d];
            }
            // Columns shifted by 128: a.b = a.(b - 128) + 128 sum(a).
            *terms_out = (kernels.signed_columns ? norm - 256 * sum : norm) << key_bits;
        }
    }
}

namespace {

void merge(std::uint64_t* best, const std::uint64_t* other, std::size_t top) {
    for (std::size_t o = 0; o < top; ++o) {
        std::uint64_t key = other[o];
        for (std::size_t t = 0; t < top; ++t) {
            if (key < best[t]) std::swap(key, best[t]);
        }
    }
}

// The keys of one side after the sweep.
struct Swept {
    std::size_t n, top;
    bool second;  // whether the second nearest is wanted
    std::vector<std::uint64_t> best = std::vector<std::uint64_t>(n * top, kNoKey);
};

void resize(Nearest& nearest, const Swept& swept) {
    nearest.index.resize(swept.n);
    nearest.distance.resize(swept.n);
    nearest.second_distance.resize(swept.second ? swept.n : 0);
}

void finish_integers(const Swept& swept, Kind kind, Nearest& nearest) {
    const auto distance = [kind](std::uint64_t key) {
        if (key == kNoKey) return std::numeric_limits<float>::infinity();
        const double whole = static_cast<double>(key >> 32);
        return static_cast<float>(kind == Kind::bytes ? std::sqrt(whole) : whole);
    };
    resize(nearest, swept);
    for (std::size_t i = 0; i < swept.n; ++i) {
        const std::uint64_t* keys = swept.best.data() + i * swept.top;
        nearest.index[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(keys[0]));
        nearest.distance[i] = distance(keys[0]);
        if (swept.second) nearest.second_distance[i] = distance(keys[1]);
    }
}

FloatSide side_of(const Descriptors& set, const Norms& norms) {
    return {static_cast<const float*>(set.data), norms.squared.data(), norms.scales.empty() ? nullptr : norms.scales.data(),
            set.n, norms.largest};
}

void finish_floats(const Swept& swept, const FloatSide& from, const FloatSide& to, const Packed& packed,
                   const Threads& threads, std::size_t n_threads, Nearest& nearest) {
    const std::size_t n = swept.n, top = swept.top;
    resize(nearest, swept);
    std::vector<double> squared(n), second(n, std::numeric_limits<double>::infinity());
    // The rounding of a sum of products grows with the square root of their number but with a probability of some
    // 1e-7 (Higham and Mary 2019, with lambda = 6); a few roundings more are those of norms, scales and subtraction.
    const double tolerance = (6 * std::sqrt(static_cast<double>(packed.descriptors.dimension)) + 16) * std::ldexp(1.0, -24);
    const double off = 2 * rounded(packed.descriptors.dimension), unit2 = packed.unit * packed.unit;
    std::vector<double> least(n * top);
    const auto bound = [&](std::uint64_t key, double norms) {
        const std::uint32_t bits = static_cast<std::uint32_t>(key >> 32) << packed.key_bits;
        if (!packed.shorts) return (bits_float(bits) - 1e-30) / unit2 - tolerance * norms;
        const double distance = std::max(0.0, std::sqrt(static_cast<double>(bits)) - off);
        return distance * distance / unit2;
    };
    constexpr std::size_t kRowsInTask = 256;
    parallel((n + kRowsInTask - 1) / kRowsInTask, n_threads,
             [&](std::size_t task, std::size_t) {
                 Settle s{};
                 s.from = &from;
                 s.to = &to;
                 s.dimension = packed.descriptors.dimension;
                 s.tolerance = tolerance;
                 s.first = task * kRowsInTask;
                 s.last = std::min(n, s.first + kRowsInTask);
                 for (std::size_t i = s.first; i < s.last; ++i) {
                     const double norms = from.scales == nullptr ? from.squared_norms[i] + to.largest : 2;
                     for (std::size_t t = swept.second ? 2 : 1; t < top; ++t) {  // those before are looked at anyway
                         least[i * top + t] = bound(swept.best[i * top + t], norms);
                     }
                 }
                 s.second = swept.second;
                 s.top = top;
                 s.best = swept.best.data();
                 s.least = least.data();
                 s.index = nearest.index.data();
                 s.squared = squared.data();
                 s.second_squared = second.data();
                 packed.kernels.settle_floats(s);
             },
             threads.alive);
    const bool cosine = packed.kind == Kind::cosine;
    const auto distance = [cosine](double value) { return static_cast<float>(cosine ? value / 2 : std::sqrt(value)); };
    for (std::size_t i = 0; i < n; ++i) {
        nearest.distance[i] = distance(squared[i]);
        if (swept.second) nearest.second_distance[i] = distance(second[i]);
    }
}

void sweep_all(const Descriptors& rows, const Norms& row_norms, const Packed& packed, const Threads& threads,
               std::size_t n_threads, Swept& row_swept, Swept& column_swept) {
    const Kernels& kernels = packed.kernels;
    const std::size_t n = rows.n, m = packed.descriptors.n, words = packed.words;
    const std::size_t positions = std::size_t{1} << packed.key_bits;
    const std::size_t most = std::min(positions * static_cast<std::size_t>(kernels.lanes), packed.padded);
    const std::size_t tile =
        std::max(kColumnPad, std::min(most, kTileBytes / (4 * words)) / kColumnPad * kColumnPad);
    // Rows of a task: as many as their keys can count, but some tasks for every thread.
    std::size_t chunk = std::min<std::size_t>(positions, 1024);
    if (n_threads > 1) chunk = std::min(chunk, std::max<std::size_t>(16, n / (4 * n_threads)));
    const double row_work = static_cast<double>(m) * static_cast<double>(words);
    chunk = std::max<std::size_t>(1, std::min(chunk, static_cast<std::size_t>(kMostTaskWork / row_work) + 1));
    if (chunk > 24) chunk = chunk / 24 * 24;  // whole groups of rows at every level

    struct Worker {
        Words rows, terms, keys;
        std::vector<std::uint64_t> column_best;
    };
    const std::size_t n_tasks = (n + chunk - 1) / chunk;
    n_threads = std::min(n_threads, n_tasks);
    std::vector<Worker> workers(n_threads);
    const auto kernel = packed.kind == Kind::bits    ? kernels.sweep_bits
                        : packed.kind == Kind::bytes ? kernels.sweep_bytes
                        : packed.shorts              ? kernels.sweep_shorts
                                                     : kernels.sweep_floats;
    parallel(n_tasks, n_threads,
             [&](std::size_t task, std::size_t number) {
                 Worker& mine = workers[number];
                 if (mine.column_best.empty()) {
                     mine.rows.resize(chunk * words);
                     mine.terms.resize(chunk);
                     mine.keys.resize(tile * column_swept.top);
                     mine.column_best.assign(m * column_swept.top, kNoKey);
                 }
                 const std::size_t first = task * chunk, last = std::min(n, first + chunk);
                 packed.rows(rows, row_norms, first, last, mine.rows.data(), mine.terms.data());
                 Sweep s{};
                 s.rows = mine.rows.data();
                 s.row_terms = mine.terms.data();
                 s.n_rows = last - first;
                 s.first_row = static_cast<std::uint32_t>(first);
                 s.columns = packed.columns.data();
                 s.column_terms = packed.column_terms.data();
                 s.padding = packed.padding.data();
                 s.n_columns = m;
                 s.padded = packed.padded;
                 s.words = words;
                 s.key_bits = packed.key_bits;
                 s.tile = tile;
                 s.column_top = column_swept.top;
                 s.column_keys = mine.keys.data();
                 s.row_best = row_swept.best.data() + first * row_swept.top;
                 s.column_best = mine.column_best.data();
                 kernel(s);
             },
             threads.alive);
    const std::size_t top = column_swept.top;
    for (const Worker& worker : workers) {
        if (worker.column_best.empty()) continue;
        for (std::size_t j = 0; j < m; ++j) merge(column_swept.best.data() + j * top, worker.column_best.data() + j * top, top);
    }
}

}  // namespace

void nearest_both_ways(const Descriptors& rows, const Packed& packed, const Threads& threads, bool second,
                       Nearest& from_rows, Nearest& from_packed) {
    const double work =
        static_cast<double>(rows.n) * static_cast<double>(packed.descriptors.n) * static_cast<double>(packed.words);
    const std::size_t n_threads = work < kLeastThreadedWork ? 1 : std::max<std::size_t>(1, threads.n);
    const Norms norms(rows, packed.kind);
    const std::size_t top = is_float(packed.kind) ? kTopFloats : kTopIntegers;
    Swept row_swept{rows.n, top, true}, column_swept{packed.descriptors.n, second ? top : top - 1, second};
    if (!is_float(packed.kind)) {
        sweep_all(rows, norms, packed, threads, n_threads, row_swept, column_swept);
        finish_integers(row_swept, packed.kind, from_rows);
        finish_integers(column_swept, packed.kind, from_packed);
        return;
    }
    // Both sides count in one unit: the packed one's, unless the rows would not fit it.
    const double unit2 = packed.unit * packed.unit, largest = packed.kind == Kind::cosine ? unit2 : norms.largest * unit2;
    const bool fits = packed.shorts ? norms.roundable && largest <= 1.02 * kMostShortNorm * kMostShortNorm
                                    : largest <= kMostNorm * kMostNorm;
    if (!fits) {
        const Packed again(packed.descriptors, packed.kind, packed.kernels, threads, &norms);
        nearest_both_ways(rows, again, threads, second, from_rows, from_packed);
        return;
    }
    sweep_all(rows, norms, packed, threads, n_threads, row_swept, column_swept);
    const FloatSide row_side = side_of(rows, norms), column_side = side_of(packed.descriptors, packed.norms);
    finish_floats(row_swept, row_side, column_side, packed, threads, n_threads, from_rows);
    finish_floats(column_swept, column_side, row_side, packed, threads, n_threads, from_packed);
}

}  // namespace tiepoint
