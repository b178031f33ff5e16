// The vocabulary on AVX2 and FMA: eight lanes.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace tiepoint {
namespace {

// 16 registers: eight sums of bytes, two columns, a row and the products; twelve sums of floats, since fused
// multiply-adds hide their latency of four cycles only behind eight or more.
constexpr int kLanes = 8;
constexpr int kBitRows = 4, kBitVectors = 1;
constexpr int kByteRows = 4, kByteVectors = 2;
constexpr int kFloatRows = 6, kFloatVectors = 2;

struct U32 {
    __m256i v;
};
struct F32 {
    __m256 v;
};

inline U32 load(const std::uint32_t* p) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))}; }
inline void store(std::uint32_t* p, U32 a) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.v); }
inline U32 splat(std::uint32_t x) { return {_mm256_set1_epi32(static_cast<int>(x))}; }
inline U32 add(U32 a, U32 b) { return {_mm256_add_epi32(a.v, b.v)}; }
inline U32 sub(U32 a, U32 b) { return {_mm256_sub_epi32(a.v, b.v)}; }
inline U32 either(U32 a, U32 b) { return {_mm256_or_si256(a.v, b.v)}; }
inline U32 differ(U32 a, U32 b) { return {_mm256_xor_si256(a.v, b.v)}; }
inline U32 both(U32 a, U32 b) { return {_mm256_and_si256(a.v, b.v)}; }
inline U32 least(U32 a, U32 b) { return {_mm256_min_epu32(a.v, b.v)}; }
inline U32 most(U32 a, U32 b) { return {_mm256_max_epu32(a.v, b.v)}; }
inline U32 shift_left(U32 a, int bits) { return {_mm256_sll_epi32(a.v, _mm_cvtsi32_si128(bits))}; }

// Bits of a nibble from a table; a counter holds four bytes a lane, which hold 31 words of at most 8 bits each.
constexpr std::size_t kCountWords = 31;
inline U32 count_bits(U32 counter, U32 x) {
    const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                           0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i nibble = _mm256_set1_epi8(0x0f);
    const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(x.v, nibble));
    const __m256i high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi32(x.v, 4), nibble));
    return {_mm256_add_epi8(counter.v, _mm256_add_epi8(low, high))};
}
inline U32 bits_counted(U32 counter) {
    const __m256i pairs = _mm256_maddubs_epi16(counter.v, _mm256_set1_epi8(1));
    return {_mm256_madd_epi16(pairs, _mm256_set1_epi16(1))};
}

// vpmaddubsw would saturate at 255 * 255 * 2: two bytes a word, widened to 16 bits.
constexpr int kBytesPerWord = 2;
constexpr bool kSignedColumns = false;
inline U32 add_products(U32 sum, U32 a, U32 b) {
    return {_mm256_add_epi32(sum.v, _mm256_madd_epi16(a.v, b.v))};
}
constexpr bool kShortsPay = true;
inline U32 add_short_products(U32 sum, U32 a, U32 b) { return add_products(sum, a, b); }

inline F32 float_zero() { return {_mm256_setzero_ps()}; }
inline F32 splat_float(float x) { return {_mm256_set1_ps(x)}; }
inline F32 as_float(U32 a) { return {_mm256_castsi256_ps(a.v)}; }
inline U32 as_bits(F32 a) { return {_mm256_castps_si256(a.v)}; }
inline F32 add(F32 a, F32 b) { return {_mm256_add_ps(a.v, b.v)}; }
inline F32 most(F32 a, F32 b) { return {_mm256_max_ps(a.v, b.v)}; }
inline F32 multiply_add(F32 a, F32 b, F32 c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }

}  // namespace
}  // namespace tiepoint
