#include "nearest.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <stdexcept>

#include "../threads.hpp"

namespace tiepoint {
namespace {

// Half of the smallest second-level cache of today (256 KiB): the other half is for rows and keys.
constexpr std::size_t kTileBytes = std::size_t{128} << 10;
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

std::uint32_t float_bits(float x) {
    std::uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
}

float bits_float(std::uint32_t bits) {
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

std::vector<double> norms_inverted(const Descriptors& set, Kind kind) {
    std::vector<double> scales(set.n, 1.0);
    if (kind != Kind::cosine) return scales;
    const float* values = static_cast<const float*>(set.data);
    for (std::size_t i = 0; i < set.n; ++i) {
        double sum = 0;
        for (std::size_t d = 0; d < set.dimension; ++d) {
            const double value = values[i * set.dimension + d];
            sum += value * value;
        }
        scales[i] = sum > 0 ? 1 / std::sqrt(sum) : 0;
    }
    return scales;
}

double largest_of(const Descriptors& set) {
    const float* values = static_cast<const float*>(set.data);
    float largest = 0;
    for (std::size_t i = 0; i < set.n * set.dimension; ++i) largest = std::max(largest, std::fabs(values[i]));
    return largest;
}

double unit_for(double largest) { return largest > 0 ? std::ldexp(1.0, -std::ilogb(largest)) : 1.0; }

}  // namespace

Packed::Packed(const Descriptors& set, Kind kind_, const Kernels& kernels_, const Threads& threads, double unit_)
    : descriptors(set), kind(kind_), kernels(kernels_) {
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
        words = kind == Kind::cosine ? dimension + 1 : dimension;
        key_bits = kFloatKeyBits;
        scales = norms_inverted(set, kind);
        if (kind == Kind::floats) {
            largest = largest_of(set);
            unit = unit_ > 0 ? unit_ : unit_for(largest);
        }
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
    if (is_float(kind)) {
        for (const std::uint32_t term : column_terms) largest_norm = std::max(largest_norm, bits_float(term));
    }
}

void Packed::pack_block(std::size_t block) {
    const std::size_t first = block * kBlock, last = std::min(first + kBlock, descriptors.n);
    if (first >= last) return;
    std::vector<std::uint32_t> in_rows((last - first) * words);
    rows(descriptors, scales.data(), first, last, in_rows.data(), column_terms.data() + first);
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

void Packed::rows(const Descriptors& set, const double* set_scales, std::size_t first, std::size_t last,
                  std::uint32_t* words_out, std::uint32_t* terms_out) const {
    const std::size_t dimension = set.dimension;
    for (std::size_t i = first; i < last; ++i, words_out += words, ++terms_out) {
        if (is_float(kind)) {
            const float* values = static_cast<const float*>(set.data) + i * dimension;
            const double scale = set_scales[i] * unit;
            double norm = 0;
            for (std::size_t d = 0; d < dimension; ++d) {
                const float value = static_cast<float>(values[d] * scale);
                norm += static_cast<double>(value) * value;
                words_out[d] = float_bits(value);
            }
            if (kind == Kind::cosine) {  // a vector without direction gets one that it shares with its like only
                const float alone = scale == 0 ? 1.0f : 0.0f;
                norm += static_cast<double>(alone);
                words_out[dimension] = float_bits(alone);
            }
            *terms_out = float_bits(static_cast<float>(norm));
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

FloatSide Packed::float_side() const {
    return {static_cast<const float*>(descriptors.data), scales.data(), columns.data(), column_terms.data(),
            descriptors.n, words, largest_norm};
}

namespace {

template <int kTop>
void merge(std::uint64_t* best, const std::uint64_t* other) {
    for (int o = 0; o < kTop; ++o) {
        std::uint64_t key = other[o];
        for (int t = 0; t < kTop; ++t) {
            if (key < best[t]) std::swap(key, best[t]);
        }
    }
}

void resize(Nearest& nearest, std::size_t n) {
    nearest.index.resize(n);
    nearest.distance.resize(n);
    nearest.second_distance.assign(n, std::numeric_limits<float>::infinity());
}

void finish_integers(const std::vector<std::uint64_t>& best, Kind kind, Nearest& nearest) {
    const auto distance = [kind](std::uint64_t key) {
        if (key == kNoKey) return std::numeric_limits<float>::infinity();
        const double whole = static_cast<double>(key >> 32);
        return static_cast<float>(kind == Kind::bytes ? std::sqrt(whole) : whole);
    };
    const std::size_t n = best.size() / kTopIntegers;
    resize(nearest, n);
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint64_t* keys = best.data() + i * kTopIntegers;
        nearest.index[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(keys[0]));
        nearest.distance[i] = distance(keys[0]);
        nearest.second_distance[i] = distance(keys[1]);
    }
}

void finish_floats(const std::vector<std::uint64_t>& best, const Packed& from, const Packed& to,
                   const Threads& threads, std::size_t n_threads, Nearest& nearest) {
    const std::size_t n = from.descriptors.n;
    resize(nearest, n);
    std::vector<double> squared(n), second(n, std::numeric_limits<double>::infinity());
    const FloatSide sides[2] = {from.float_side(), to.float_side()};
    // The rounding of a sum of products grows with the square root of their number but with a probability of some
    // 1e-7 (Higham and Mary 2019, with lambda = 6); a few roundings more are those of norms, scales and subtraction.
    const double tolerance = (6 * std::sqrt(static_cast<double>(to.words)) + 16) * std::ldexp(1.0, -24);
    constexpr std::size_t kRowsInTask = 256;
    parallel((n + kRowsInTask - 1) / kRowsInTask, n_threads,
             [&](std::size_t task, std::size_t) {
                 Settle s{};
                 s.from = &sides[0];
                 s.to = &sides[1];
                 s.dimension = from.descriptors.dimension;
                 s.unit = to.unit;
                 s.tolerance = tolerance;
                 s.first = task * kRowsInTask;
                 s.last = std::min(n, s.first + kRowsInTask);
                 s.best = best.data();
                 s.index = nearest.index.data();
                 s.squared = squared.data();
                 s.second_squared = second.data();
                 to.kernels.settle_floats(s);
             },
             threads.alive);
    const bool cosine = from.kind == Kind::cosine;
    const auto distance = [cosine](double value) { return static_cast<float>(cosine ? value / 2 : std::sqrt(value)); };
    for (std::size_t i = 0; i < n; ++i) {
        nearest.distance[i] = distance(squared[i]);
        nearest.second_distance[i] = distance(second[i]);
    }
}

template <int kTop>
void sweep_all(const Descriptors& rows, const double* row_scales, const Packed& packed, const Threads& threads,
               std::size_t n_threads, std::vector<std::uint64_t>& row_best, std::vector<std::uint64_t>& column_best) {
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
    row_best.assign(n * kTop, kNoKey);
    const auto kernel = packed.kind == Kind::bits    ? kernels.sweep_bits
                        : packed.kind == Kind::bytes ? kernels.sweep_bytes
                                                     : kernels.sweep_floats;
    parallel(n_tasks, n_threads,
             [&](std::size_t task, std::size_t number) {
                 Worker& mine = workers[number];
                 if (mine.column_best.empty()) {
                     mine.rows.resize(chunk * words);
                     mine.terms.resize(chunk);
                     mine.keys.resize(tile * kTop);
                     mine.column_best.assign(m * kTop, kNoKey);
                 }
                 const std::size_t first = task * chunk, last = std::min(n, first + chunk);
                 packed.rows(rows, row_scales, first, last, mine.rows.data(), mine.terms.data());
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
                 s.column_keys = mine.keys.data();
                 s.row_best = row_best.data() + first * kTop;
                 s.column_best = mine.column_best.data();
                 kernel(s);
             },
             threads.alive);
    column_best.assign(m * kTop, kNoKey);
    for (const Worker& worker : workers) {
        if (worker.column_best.empty()) continue;
        for (std::size_t j = 0; j < m; ++j) merge<kTop>(column_best.data() + j * kTop, worker.column_best.data() + j * kTop);
    }
}

}  // namespace

void nearest_both_ways(const Descriptors& rows, const Packed& packed, const Threads& threads, Nearest& from_rows,
                       Nearest& from_packed) {
    const double work =
        static_cast<double>(rows.n) * static_cast<double>(packed.descriptors.n) * static_cast<double>(packed.words);
    const std::size_t n_threads = work < kLeastThreadedWork ? 1 : std::max<std::size_t>(1, threads.n);
    std::vector<std::uint64_t> row_best, column_best;
    if (!is_float(packed.kind)) {
        sweep_all<kTopIntegers>(rows, nullptr, packed, threads, n_threads, row_best, column_best);
        finish_integers(row_best, packed.kind, from_rows);
        finish_integers(column_best, packed.kind, from_packed);
        return;
    }
    // Both sides count in one unit. It is the packed one's, unless that would bring the rows near overflow.
    if (packed.kind == Kind::floats) {
        const double largest = largest_of(rows);
        if (largest * packed.unit > std::ldexp(1.0, 40)) {
            const Packed again(packed.descriptors, packed.kind, packed.kernels, threads, unit_for(largest));
            nearest_both_ways(rows, again, threads, from_rows, from_packed);
            return;
        }
    }
    const Packed rows_packed(rows, packed.kind, packed.kernels, threads, packed.unit);
    sweep_all<kTopFloats>(rows, rows_packed.scales.data(), packed, threads, n_threads, row_best, column_best);
    finish_floats(row_best, rows_packed, packed, threads, n_threads, from_rows);
    finish_floats(column_best, packed, rows_packed, threads, n_threads, from_packed);
}

}  // namespace tiepoint
