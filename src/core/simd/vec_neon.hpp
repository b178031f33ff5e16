// The vocabulary on NEON with the dot product (Armv8.2): four lanes.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace tiepoint {
namespace {

constexpr int kLanes = 4;
constexpr int kBitRows = 2, kBitVectors = 4;
constexpr int kByteRows = 4, kByteVectors = 4;
constexpr int kFloatRows = 4, kFloatVectors = 4;

struct U32 {
    uint32x4_t v;
};
struct F32 {
    float32x4_t v;
};

inline U32 load(const std::uint32_t* p) { return {vld1q_u32(p)}; }
inline void store(std::uint32_t* p, U32 a) { vst1q_u32(p, a.v); }
inline U32 splat(std::uint32_t x) { return {vdupq_n_u32(x)}; }
inline U32 add(U32 a, U32 b) { return {vaddq_u32(a.v, b.v)}; }
inline U32 sub(U32 a, U32 b) { return {vsubq_u32(a.v, b.v)}; }
inline U32 either(U32 a, U32 b) { return {vorrq_u32(a.v, b.v)}; }
inline U32 differ(U32 a, U32 b) { return {veorq_u32(a.v, b.v)}; }
inline U32 both(U32 a, U32 b) { return {vandq_u32(a.v, b.v)}; }
inline U32 least(U32 a, U32 b) { return {vminq_u32(a.v, b.v)}; }
inline U32 most(U32 a, U32 b) { return {vmaxq_u32(a.v, b.v)}; }
inline U32 shift_left(U32 a, int bits) { return {vshlq_u32(a.v, vdupq_n_s32(bits))}; }

constexpr std::size_t kCountWords = 31;
inline U32 count_bits(U32 counter, U32 x) {
    return {vreinterpretq_u32_u8(vaddq_u8(vreinterpretq_u8_u32(counter.v), vcntq_u8(vreinterpretq_u8_u32(x.v))))};
}
inline U32 bits_counted(U32 counter) { return {vpaddlq_u16(vpaddlq_u8(vreinterpretq_u8_u32(counter.v)))}; }

constexpr int kBytesPerWord = 4;
constexpr bool kSignedColumns = false;
inline U32 add_products(U32 sum, U32 a, U32 b) {
    return {vdotq_u32(sum.v, vreinterpretq_u8_u32(a.v), vreinterpretq_u8_u32(b.v))};
}
constexpr bool kShortsPay = false;  // there is no dot product of 16-bit numbers
inline U32 add_short_products(U32 sum, U32 a, U32 b) {
    const int16x8_t x = vreinterpretq_s16_u32(a.v), y = vreinterpretq_s16_u32(b.v);
    const int32x4_t low = vmull_s16(vget_low_s16(x), vget_low_s16(y)), high = vmull_high_s16(x, y);
    return {vaddq_u32(sum.v, vreinterpretq_u32_s32(vpaddq_s32(low, high)))};
}

inline F32 float_zero() { return {vdupq_n_f32(0)}; }
inline F32 splat_float(float x) { return {vdupq_n_f32(x)}; }
inline F32 as_float(U32 a) { return {vreinterpretq_f32_u32(a.v)}; }
inline U32 as_bits(F32 a) { return {vreinterpretq_u32_f32(a.v)}; }
inline F32 add(F32 a, F32 b) { return {vaddq_f32(a.v, b.v)}; }
inline F32 most(F32 a, F32 b) { return {vmaxq_f32(a.v, b.v)}; }
inline F32 multiply_add(F32 a, F32 b, F32 c) { return {vfmaq_f32(c.v, a.v, b.v)}; }

}  // namespace
}  // namespace tiepoint
