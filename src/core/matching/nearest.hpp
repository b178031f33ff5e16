// The nearest and second nearest, both ways, of two sets of descriptors: packing, threads, merging.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <new>
#include <vector>

#include "../kernels.hpp"

namespace tiepoint {

// Memory that starts a cache line: a load across two lines costs twice.
template <class T>
struct LineAllocator {
    using value_type = T;
    LineAllocator() = default;
    template <class U>
    LineAllocator(const LineAllocator<U>&) {}
    T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{64})); }
    void deallocate(T* p, std::size_t) { ::operator delete(p, std::align_val_t{64}); }
    template <class U>
    bool operator==(const LineAllocator<U>&) const { return true; }
    template <class U>
    bool operator!=(const LineAllocator<U>&) const { return false; }
};
using Words = std::vector<std::uint32_t, LineAllocator<std::uint32_t>>;

enum class Kind { bits, bytes, floats, cosine };

// A set of descriptors, (n, dimension) in row order; for floats and cosine `data` points to floats.
struct Descriptors {
    const void* data;
    std::size_t n, dimension;
};

// More dimensions than these, and a 32-bit key would not hold a distance of bytes and a position.
constexpr std::size_t kMostByteDimensions = 8256;

struct Threads {
    std::size_t n;
    std::function<void()> alive;  // see threads.hpp
};

// Of floats; of other kinds nothing.
struct Norms {
    Norms(const Descriptors& set, Kind kind);
    std::vector<double> squared;
    std::vector<double> scales;  // for the cosine
    double largest = 0;          // of the squared
    bool roundable = true;       // 16 bits keep what matters
};

// One set, laid out for a level's kernels. The descriptors must outlive it.
class Packed {
public:
    Packed(const Descriptors& descriptors, Kind kind, const Kernels& kernels, const Threads& threads,
           const Norms* others = nullptr);

    const Descriptors descriptors;
    const Kind kind;
    const Kernels& kernels;
    std::size_t words = 0, padded = 0;
    int key_bits = 0;
    bool shorts = false;  // floats rounded to 16 bits
    double unit = 1;      // by which floats are multiplied
    Words columns, column_terms, padding;
    Norms norms;

    // Write the rows first..last of a set, and their terms, as the sweep wants them.
    void rows(const Descriptors& set, const Norms& set_norms, std::size_t first, std::size_t last,
              std::uint32_t* words_out, std::uint32_t* terms_out) const;

private:
    void pack_block(std::size_t block);
};

struct Nearest {
    std::vector<std::int32_t> index;
    std::vector<float> distance, second_distance;  // the second is empty if it was not asked for
};

// From every row of `rows`, and from every descriptor of `packed`. Both need at least one. `second` is whether the
// packed ones want their second nearest; the rows always do.
void nearest_both_ways(const Descriptors& rows, const Packed& packed, const Threads& threads, bool second,
                       Nearest& from_rows, Nearest& from_packed);

}  // namespace tiepoint
