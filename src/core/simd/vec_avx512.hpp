// The vocabulary on AVX-512 (F, BW, VL, VNNI, VPOPCNTDQ: Ice Lake, Zen 4 and later): sixteen lanes.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace tiepoint {
namespace {

// 32 registers. Two column vectors halve the broadcasts of a row's word: one load port would not keep up.
constexpr int kLanes = 16;
constexpr int kBitRows = 8, kBitVectors = 2;
constexpr int kByteRows = 8, kByteVectors = 2;
constexpr int kFloatRows = 8, kFloatVectors = 2;

struct U32 {
    __m512i v;
};
struct F32 {
    __m512 v;
};

inline U32 load(const std::uint32_t* p) { return {_mm512_loadu_si512(p)}; }
inline void store(std::uint32_t* p, U32 a) { _mm512_storeu_si512(p, a.v); }
inline U32 splat(std::uint32_t x) { return {_mm512_set1_epi32(static_cast<int>(x))}; }
inline U32 add(U32 a, U32 b) { return {_mm512_add_epi32(a.v, b.v)}; }
inline U32 sub(U32 a, U32 b) { return {_mm512_sub_epi32(a.v, b.v)}; }
inline U32 either(U32 a, U32 b) { return {_mm512_or_si512(a.v, b.v)}; }
inline U32 differ(U32 a, U32 b) { return {_mm512_xor_si512(a.v, b.v)}; }
inline U32 both(U32 a, U32 b) { return {_mm512_and_si512(a.v, b.v)}; }
inline U32 least(U32 a, U32 b) { return {_mm512_min_epu32(a.v, b.v)}; }
inline U32 most(U32 a, U32 b) { return {_mm512_max_epu32(a.v, b.v)}; }
inline U32 shift_left(U32 a, int bits) { return {_mm512_sll_epi32(a.v, _mm_cvtsi32_si128(bits))}; }

constexpr std::size_t kCountWords = std::size_t{1} << 26;
inline U32 count_bits(U32 counter, U32 x) { return {_mm512_add_epi32(counter.v, _mm512_popcnt_epi32(x.v))}; }
inline U32 bits_counted(U32 counter) { return counter; }

// VNNI multiplies unsigned by signed: the columns are shifted by 128, the rows' terms make up for it.
constexpr int kBytesPerWord = 4;
constexpr bool kSignedColumns = true;
inline U32 add_products(U32 sum, U32 a, U32 b) { return {_mm512_dpbusd_epi32(sum.v, a.v, b.v)}; }
constexpr bool kShortsPay = true;
inline U32 add_short_products(U32 sum, U32 a, U32 b) { return {_mm512_dpwssd_epi32(sum.v, a.v, b.v)}; }

inline F32 float_zero() { return {_mm512_setzero_ps()}; }
inline F32 splat_float(float x) { return {_mm512_set1_ps(x)}; }
inline F32 as_float(U32 a) { return {_mm512_castsi512_ps(a.v)}; }
inline U32 as_bits(F32 a) { return {_mm512_castps_si512(a.v)}; }
inline F32 add(F32 a, F32 b) { return {_mm512_add_ps(a.v, b.v)}; }
inline F32 most(F32 a, F32 b) { return {_mm512_max_ps(a.v, b.v)}; }
inline F32 multiply_add(F32 a, F32 b, F32 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }

}  // namespace
}  // namespace tiepoint
