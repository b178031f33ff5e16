// What the machine could do: the step of a kernel on registers, two loads for eight steps. Benchmarks ask for it.
#pragma once

#include "sweep.inl.hpp"

namespace tiepoint {
namespace {

// `rounds` times 1024 words: eight vectors of sums for each two words. Returns something of the sums, lest the
// compiler leaves them out.
template <class Measure>
std::uint32_t limit(std::size_t rounds, const std::uint32_t* words) {
    typename Measure::Sum sums[8];
    for (auto& sum : sums) sum = Measure::zero();
    U32 columns[4];
    for (int c = 0; c < 4; ++c) columns[c] = load(words + 16 * c);
    for (std::size_t round = 0; round < rounds; ++round) {
        for (std::size_t w = 0; w < 1024; w += 2) {
            const U32 first = splat(words[w]), second = splat(words[w + 1]);
            for (int c = 0; c < 4; ++c) {
                Measure::step(sums[c], first, columns[c]);
                Measure::step(sums[4 + c], second, columns[c]);
            }
        }
    }
    U32 all = splat(0);
    for (const auto& sum : sums) all = differ(all, Measure::key(sum, splat(0), splat(0), 1));
    std::uint32_t out[kLanes], mixed = 0;
    store(out, all);
    for (const std::uint32_t x : out) mixed ^= x;
    return mixed;
}

std::uint32_t limit_bits(std::size_t rounds, const std::uint32_t* words) { return limit<FewBits>(rounds, words); }
std::uint32_t limit_bytes(std::size_t rounds, const std::uint32_t* words) { return limit<Bytes>(rounds, words); }
std::uint32_t limit_floats(std::size_t rounds, const std::uint32_t* words) { return limit<Floats>(rounds, words); }
std::uint32_t limit_shorts(std::size_t rounds, const std::uint32_t* words) { return limit<Shorts>(rounds, words); }

}  // namespace
}  // namespace tiepoint
