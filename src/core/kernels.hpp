// What one instruction set offers: a table of functions over raw pointers and sizes.
//
// Only <cstdint> and <cstddef> here: this header is read by the kernel files, which are compiled with
// flags of their own, and nothing of the standard library may be instantiated under those.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tiepoint {

// The second set lies in blocks of 16 columns: word w of a block is the w-th 32-bit word of each of its 16
// descriptors. Every level reads such blocks with contiguous loads, whatever its width. The number of columns
// is padded to a multiple of 32, so that a kernel may take two 512-bit vectors at once.
constexpr std::size_t kBlock = 16;
constexpr std::size_t kColumnPad = 32;

// The best of a sweep, per row and per column, are 64-bit keys, (distance << 32) | index, in ascending order:
// plain comparison puts ties in order of their index. kNoKey stands for "none".
constexpr std::uint64_t kNoKey = ~std::uint64_t{0};
constexpr std::size_t kTopIntegers = 2;
constexpr std::size_t kTopFloats = 4;  // the last bounds what all others may be: see matching/floats.inl.hpp
constexpr int kFloatKeyBits = 7;  // taken from the mantissa: the sweep is good to 2^-16, then settled

// One tile row of the sweep: some rows against all columns.
struct Sweep {
    const std::uint32_t* rows;          // (n_rows, words)
    const std::uint32_t* row_terms;     // (n_rows,) what a row adds to each of its distances
    std::size_t n_rows;                 // at most 1 << key_bits
    std::uint32_t first_row;            // index of the first, for the columns' keys
    const std::uint32_t* columns;       // packed, see above
    const std::uint32_t* column_terms;  // (padded,)
    const std::uint32_t* padding;       // (padded,) 0, or all ones where there is no column
    std::size_t n_columns;
    std::size_t padded;
    std::size_t words;
    int key_bits;                       // low bits of a 32-bit key that hold a position within the tile
    std::size_t tile;                   // columns in a tile, a multiple of kColumnPad
    std::size_t column_top;             // how many to keep of a column: as of a row, or one less
    std::uint32_t* column_keys;         // (column_top, tile) scratch
    std::uint64_t* row_best;            // (n_rows, top), updated
    std::uint64_t* column_best;         // (n_columns, column_top), updated
};

// One side of an exact comparison of floats.
struct FloatSide {
    const float* values;           // (n, dimension), as given
    const double* squared_norms;   // (n,)
    const double* scales;          // (n,) for the cosine: 1/norm, 0 for a vector without direction; else null
    std::size_t n;
    double largest;                // of the squared norms
};

struct Settle {
    const FloatSide* from;
    const FloatSide* to;
    std::size_t dimension;
    double tolerance;           // error of a float's squared distance, as a part of the sum of the squared norms
    std::size_t first, last;    // which of `from`
    bool second;                // whether the second nearest is wanted
    std::size_t top;            // keys of each
    const std::uint64_t* best;  // (n, top) of the sweep
    const double* least;        // (n, top): no column with such a key, or a larger one, is nearer (squared)
    std::int32_t* index;        // (n,)
    double* squared;            // (n,)
    double* second_squared;     // (n,) infinite where there is no second, or none is wanted
};

struct Kernels {
    const char* name;
    int lanes;             // 32-bit numbers in a vector
    int bytes_per_word;    // of a uint8 descriptor: 4, or 2 where the multiplication needs 16 bits
    bool signed_columns;   // whether columns of bytes are shifted by 128 into the signed range
    bool shorts_pay;       // whether floats are swept faster rounded to 16 bits
    void (*sweep_bits)(const Sweep&);
    void (*sweep_bytes)(const Sweep&);
    void (*sweep_floats)(const Sweep&);
    void (*sweep_shorts)(const Sweep&);
    void (*settle_floats)(const Settle&);
    // For benchmarks: see matching/limit.inl.hpp.
    std::uint32_t (*limit_bits)(std::size_t rounds, const std::uint32_t* words);
    std::uint32_t (*limit_bytes)(std::size_t rounds, const std::uint32_t* words);
    std::uint32_t (*limit_floats)(std::size_t rounds, const std::uint32_t* words);
    std::uint32_t (*limit_shorts)(std::size_t rounds, const std::uint32_t* words);
};

extern const Kernels kernels_scalar;
extern const Kernels kernels_avx2;
extern const Kernels kernels_avx512;
extern const Kernels kernels_neon;

}  // namespace tiepoint
