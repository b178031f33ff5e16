// The vocabulary without intrinsics: four lanes in plain arrays, which compilers turn into the baseline's vectors.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tiepoint {
namespace {

constexpr int kLanes = 4;
constexpr int kBitRows = 1, kBitVectors = 2;
constexpr int kByteRows = 2, kByteVectors = 2;
constexpr int kFloatRows = 2, kFloatVectors = 2;

struct U32 {
    std::uint32_t v[4];
};
struct F32 {
    float v[4];
};

template <class Out, class Function>
inline Out lanes(Function function) {
    Out out;
    for (int i = 0; i < 4; ++i) out.v[i] = function(i);
    return out;
}

inline U32 load(const std::uint32_t* p) { return {{p[0], p[1], p[2], p[3]}}; }
inline void store(std::uint32_t* p, U32 a) {
    for (int i = 0; i < 4; ++i) p[i] = a.v[i];
}
inline U32 splat(std::uint32_t x) { return {{x, x, x, x}}; }
inline U32 add(U32 a, U32 b) {
    return lanes<U32>([&](int i) { return a.v[i] + b.v[i]; });
}
inline U32 sub(U32 a, U32 b) {
    return lanes<U32>([&](int i) { return a.v[i] - b.v[i]; });
}
inline U32 either(U32 a, U32 b) {
    return lanes<U32>([&](int i) { return a.v[i] | b.v[i]; });
}
inline U32 differ(U32 a, U32 b) {
    return lanes<U32>([&](int i) { return a.v[i] ^ b.v[i]; });
}
inline U32 both(U32 a, U32 b) {
    return lanes<U32>([&](int i) { return a.v[i] & b.v[i]; });
}
inline U32 least(U32 a, U32 b) {
    return lanes<U32>([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
}
inline U32 most(U32 a, U32 b) {
    return lanes<U32>([&](int i) { return a.v[i] < b.v[i] ? b.v[i] : a.v[i]; });
}
inline U32 shift_left(U32 a, int bits) {
    return lanes<U32>([&](int i) { return a.v[i] << bits; });
}

// Bits set: `count_bits` adds to a counter that `bits_counted` reads; it may be fed kCountWords times.
constexpr std::size_t kCountWords = 31;
inline U32 count_bits(U32 counter, U32 x) {
    return lanes<U32>([&](int i) {  // four counters of a byte in each lane
        std::uint32_t w = x.v[i];
        w -= (w >> 1) & 0x55555555u;
        w = (w & 0x33333333u) + ((w >> 2) & 0x33333333u);
        return counter.v[i] + ((w + (w >> 4)) & 0x0f0f0f0fu);
    });
}
inline U32 bits_counted(U32 counter) {
    return lanes<U32>([&](int i) {
        const std::uint32_t pairs = (counter.v[i] & 0x00ff00ffu) + ((counter.v[i] >> 8) & 0x00ff00ffu);
        return (pairs & 0xffffu) + (pairs >> 16);
    });
}

// Bytes: a word holds kBytesPerWord of them, here two in 16 bits each.
constexpr int kBytesPerWord = 2;
constexpr bool kSignedColumns = false;
inline U32 add_products(U32 sum, U32 a, U32 b) {
    return lanes<U32>([&](int i) {
        return sum.v[i] + (a.v[i] & 0xffffu) * (b.v[i] & 0xffffu) + (a.v[i] >> 16) * (b.v[i] >> 16);
    });
}

// Two signed numbers of 16 bits in each word. kShortsPay: whether that is faster than floats.
constexpr bool kShortsPay = true;
inline U32 add_short_products(U32 sum, U32 a, U32 b) {
    const auto low = [](std::uint32_t x) { return static_cast<std::int32_t>(static_cast<std::int16_t>(x & 0xffffu)); };
    return lanes<U32>([&](int i) {
        const std::int32_t products = low(a.v[i]) * low(b.v[i]) + low(a.v[i] >> 16) * low(b.v[i] >> 16);
        return sum.v[i] + static_cast<std::uint32_t>(products);
    });
}

inline F32 float_zero() { return {{0, 0, 0, 0}}; }
inline F32 splat_float(float x) { return {{x, x, x, x}}; }
union FloatBits {  // read through the other member: defined by GCC, clang and MSVC alike
    std::uint32_t bits;
    float value;
};
inline F32 as_float(U32 a) {
    return lanes<F32>([&](int i) { return FloatBits{a.v[i]}.value; });
}
inline U32 as_bits(F32 a) {
    U32 out;
    for (int i = 0; i < 4; ++i) {
        FloatBits both_views;
        both_views.value = a.v[i];
        out.v[i] = both_views.bits;
    }
    return out;
}
inline F32 add(F32 a, F32 b) {
    return lanes<F32>([&](int i) { return a.v[i] + b.v[i]; });
}
inline F32 most(F32 a, F32 b) {
    return lanes<F32>([&](int i) { return a.v[i] < b.v[i] ? b.v[i] : a.v[i]; });
}
// a * b + c: fused where the machine has it.
inline F32 multiply_add(F32 a, F32 b, F32 c) {
    return lanes<F32>([&](int i) { return a.v[i] * b.v[i] + c.v[i]; });
}

}  // namespace
}  // namespace tiepoint
