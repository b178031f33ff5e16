#include "dispatch.hpp"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#if defined(__x86_64__) || defined(_M_X64)
#define TIEPOINT_X86 1
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace tiepoint {
namespace {

#ifdef TIEPOINT_X86
struct Registers {
    std::uint32_t a, b, c, d;
};

Registers cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
    Registers r{};
#if defined(_MSC_VER)
    int out[4];
    __cpuidex(out, static_cast<int>(leaf), static_cast<int>(subleaf));
    std::memcpy(&r, out, sizeof r);
#else
    __cpuid_count(leaf, subleaf, r.a, r.b, r.c, r.d);
#endif
    return r;
}

// What the operating system saves of the vector registers: XCR0.
std::uint64_t saved_state() {
#if defined(_MSC_VER)
    return _xgetbv(0);
#else
    std::uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return std::uint64_t{high} << 32 | low;
#endif
}

bool bit(std::uint32_t word, int n) { return (word >> n & 1) != 0; }

void detect(bool& avx2, bool& avx512) {
    if (cpuid(0).a < 7) return;
    const Registers one = cpuid(1), seven = cpuid(7);
    if (!bit(one.c, 27)) return;  // OSXSAVE
    const std::uint64_t saved = saved_state();
    const bool ymm = (saved & 0x06) == 0x06, zmm = (saved & 0xe6) == 0xe6;
    avx2 = ymm && bit(one.c, 28) && bit(one.c, 12) && bit(seven.b, 5);  // AVX, FMA, AVX2
    avx512 = avx2 && zmm && bit(seven.b, 16) && bit(seven.b, 30) && bit(seven.b, 31)  // F, BW, VL
             && bit(seven.c, 11) && bit(seven.c, 14);                                 // VNNI, VPOPCNTDQ
}
#endif

std::vector<const Kernels*> detect_levels() {
    std::vector<const Kernels*> levels;
#ifdef TIEPOINT_X86
    bool avx2 = false, avx512 = false;
    detect(avx2, avx512);
    if (avx512) levels.push_back(&kernels_avx512);
    if (avx2) levels.push_back(&kernels_avx2);
#elif defined(__aarch64__) && defined(__linux__)
    if ((getauxval(AT_HWCAP) & (1UL << 20)) != 0) levels.push_back(&kernels_neon);  // HWCAP_ASIMDDP
#elif defined(__aarch64__) && defined(__APPLE__)
    int dotprod = 0;
    std::size_t size = sizeof dotprod;
    if (sysctlbyname("hw.optional.arm.FEAT_DotProd", &dotprod, &size, nullptr, 0) == 0 && dotprod != 0) {
        levels.push_back(&kernels_neon);
    }
#endif
    levels.push_back(&kernels_scalar);
    return levels;
}

const Kernels& find(const std::string& name, const char* who) {
    std::string known;
    for (const Kernels* level : available_levels()) {
        if (name == level->name) return *level;
        known += known.empty() ? level->name : std::string(", ") + level->name;
    }
    throw std::invalid_argument(std::string(who) + " is '" + name + "', but this CPU runs: " + known);
}

std::atomic<const Kernels*> active{nullptr};

}  // namespace

const std::vector<const Kernels*>& available_levels() {
    static const std::vector<const Kernels*> levels = detect_levels();
    return levels;
}

const Kernels& active_level() {
    const Kernels* level = active.load();
    if (level == nullptr) {
        const char* wanted = std::getenv("TIEPOINT_SIMD");
        level = wanted != nullptr && *wanted != '\0' ? &find(wanted, "TIEPOINT_SIMD") : available_levels().front();
        active.store(level);
    }
    return *level;
}

void force_level(const std::string& name) { active.store(&find(name, "the level")); }

std::string cpu_name() {
#ifdef TIEPOINT_X86
    if (cpuid(0x80000000u).a >= 0x80000004u) {
        char text[49] = {};
        for (std::uint32_t i = 0; i < 3; ++i) {
            const Registers r = cpuid(0x80000002u + i);
            std::memcpy(text + 16 * i, &r, 16);
        }
        std::string name(text);
        name.erase(0, name.find_first_not_of(' '));
        name.erase(name.find_last_not_of(' ') + 1);
        if (!name.empty()) return name;
    }
    return "x86-64";
#elif defined(__aarch64__)
    return "arm64";
#else
    return "unknown";
#endif
}

}  // namespace tiepoint
