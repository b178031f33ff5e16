// The levels of this CPU against the definition, without Python: for a machine that is only emulated (see .ci/run),
// and for AVX-512 translated to other instructions.
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <vector>

#include "dispatch.hpp"
#include "matching/nearest.hpp"

using namespace tiepoint;

int check_geometry(int& checks);  // geometry_check.cpp

namespace {

std::mt19937 random_bits(11);

template <class T>
std::vector<T> draw(std::size_t n, unsigned most) {
    std::vector<T> out(n);
    for (T& x : out) x = static_cast<T>(random_bits() % (most + 1) * (most == 1 && sizeof(T) == 1 ? 255 : 1));
    return out;
}

template <class T>
double distance(const T* a, const T* b, std::size_t dimension, Kind kind) {
    double sum = 0;
    for (std::size_t d = 0; d < dimension; ++d) {
        if (kind == Kind::bits) {
            for (unsigned x = static_cast<unsigned>(a[d]) ^ static_cast<unsigned>(b[d]); x != 0; x &= x - 1) ++sum;
        } else {
            const double difference = static_cast<double>(a[d]) - static_cast<double>(b[d]);
            sum += difference * difference;
        }
    }
    return kind == Kind::bits ? sum : std::sqrt(sum);
}

template <class T>
bool as_defined(const Nearest& found, const std::vector<T>& a, const std::vector<T>& b, std::size_t dimension,
                Kind kind) {
    for (std::size_t i = 0; i < a.size() / dimension; ++i) {
        double best = std::numeric_limits<double>::infinity(), second = best;
        std::size_t index = 0;
        for (std::size_t j = 0; j < b.size() / dimension; ++j) {
            const double d = distance(&a[i * dimension], &b[j * dimension], dimension, kind);
            if (d < best) {
                second = best;
                best = d;
                index = j;
            } else if (d < second) {
                second = d;
            }
        }
        if (found.index[i] != static_cast<std::int32_t>(index) || found.distance[i] != static_cast<float>(best) ||
            (!found.second_distance.empty() && found.second_distance[i] != static_cast<float>(second))) {
            return false;
        }
    }
    return true;
}

int failures = 0, checks = 0;

template <class T>
void check(const Kernels& level, Kind kind, std::size_t n, std::size_t m, std::size_t dimension, unsigned most) {
    const std::vector<T> a = draw<T>(n * dimension, most), b = draw<T>(m * dimension, most);
    const Threads threads{2, [] {}};
    const Packed packed({b.data(), m, dimension}, kind, level, threads);
    Nearest from0, from1;
    const bool second = checks++ % 2 == 0;
    nearest_both_ways({a.data(), n, dimension}, packed, threads, second, from0, from1);
    if (!as_defined(from0, a, b, dimension, kind) || !as_defined(from1, b, a, dimension, kind) ||
        from1.second_distance.empty() == second) {
        ++failures;
        std::printf("%s differs: kind %d, %zu x %zu x %zu\n", level.name, static_cast<int>(kind), n, m, dimension);
    }
}

}  // namespace

int main() {
    const std::size_t sizes[] = {1, 2, 15, 16, 17, 31, 33, 64, 65, 130};
    for (const Kernels* level : available_levels()) {
        std::printf("%s\n", level->name);
        for (const std::size_t dimension : {1, 3, 7, 8, 15, 16, 17, 31, 32, 33, 61, 64, 128, 130, 300}) {
            for (const std::size_t n : sizes) {
                for (const unsigned most : {255u, 1u}) {
                    const std::size_t m = sizes[random_bits() % 10];
                    check<std::uint8_t>(*level, Kind::bits, n, m, dimension, most);
                    check<std::uint8_t>(*level, Kind::bytes, n, m, dimension, most);
                    check<float>(*level, Kind::floats, n, m, dimension, most);
                }
            }
        }
        check<std::uint8_t>(*level, Kind::bytes, 20, 40, kMostByteDimensions, 1);
        check<std::uint8_t>(*level, Kind::bytes, 600, 500, 128, 255);
        check<float>(*level, Kind::floats, 150, 600, 64, 255);
    }
    failures += check_geometry(checks);
    std::printf("%d of %d differ\n", failures, checks);
    return failures == 0 ? 0 : 1;
}
