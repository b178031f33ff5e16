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
constexpr int kTopIntegers = 2;
constexpr int kTopFloats = 3;  // the third bounds what the others may be: see matching/floats.inl.hpp
constexpr int kFloatKeyBits = 6;  // taken from the mantissa: the sweep is good to 2^-17, then settled

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
    std::uint32_t* column_keys;         // (top, tile) scratch
    std::uint64_t* row_best;            // (n_rows, top), updated
    std::uint64_t* column_best;         // (n_columns, top), updated
};

// One side of an exact comparison of floats: the numbers as given, and the scaled ones in blocks.
struct FloatSide {
    const float* values;        // (n, dimension)
    const double* scales;       // (n,) 1, or 1/norm for the cosine; 0 for a vector without direction
    const std::uint32_t* columns;       // packed floats, scaled by scales and by `unit`
    const std::uint32_t* column_terms;  // their squared norms, float bits
    std::size_t n;
    std::size_t words;
    float largest_norm;         // of column_terms
};

struct Settle {
    const FloatSide* from;
    const FloatSide* to;
    std::size_t dimension;
    double unit;                // the power of two by which packed numbers were multiplied
    double tolerance;           // error of a swept squared distance, as a part of the sum of the squared norms
    bool cosine;
    std::size_t first, last;    // which of `from`
    const std::uint64_t* best;  // (n, kTopFloats) of the sweep
    std::int32_t* index;        // (n,)
    double* squared;            // (n,)
    double* second_squared;     // (n,) infinite where there is no second
};

struct Kernels {
    const char* name;
    int lanes;             // 32-bit numbers in a vector
    int bytes_per_word;    // of a uint8 descriptor: 4, or 2 where the multiplication needs 16 bits
    bool signed_columns;   // whether columns of bytes are shifted by 128 into the signed range
    void (*sweep_bits)(const Sweep&);
    void (*sweep_bytes)(const Sweep&);
    void (*sweep_floats)(const Sweep&);
    void (*settle_floats)(const Settle&);
    // For benchmarks: see matching/limit.inl.hpp.
    std::uint32_t (*limit_bits)(std::size_t rounds, const std::uint32_t* words);
    std::uint32_t (*limit_bytes)(std::size_t rounds, const std::uint32_t* words);
    std::uint32_t (*limit_floats)(std::size_t rounds, const std::uint32_t* words);
};

extern const Kernels kernels_scalar;
extern const Kernels kernels_avx2;
extern const Kernels kernels_avx512;
extern const Kernels kernels_neon;

}  // namespace tiepoint
