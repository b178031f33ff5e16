// Python's view of the core: arrays checked, the GIL released, kernels called. Nothing is computed here.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "dispatch.hpp"
#include "geometry/alike.hpp"
#include "geometry/refine.hpp"
#include "geometry/residuals.hpp"
#include "geometry/spread.hpp"
#include "matching/nearest.hpp"

namespace nb = nanobind;

namespace tiepoint {
namespace {

using Bytes = nb::ndarray<const std::uint8_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Floats = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

// Lets Ctrl-C end a long match: asks Python for signals, a few times a second.
class Signals {
public:
    void operator()() {
        const auto now = std::chrono::steady_clock::now();
        if (now - last_ < std::chrono::milliseconds(50)) return;
        last_ = now;
        const nb::gil_scoped_acquire gil;
        if (PyErr_CheckSignals() != 0) throw nb::python_error();
    }

private:
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

Threads on(std::size_t n_threads) {
    auto signals = std::make_shared<Signals>();
    return {std::max<std::size_t>(1, n_threads), [signals] { (*signals)(); }};
}

struct Set {
    Descriptors descriptors;
    Kind kind;
};

template <class Array>
Descriptors described(const Array& array) {
    if (array.shape(0) == 0 || array.shape(1) == 0) throw std::invalid_argument("no descriptors");
    if (array.shape(0) > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max() - 64) ||
        array.shape(1) > (std::size_t{1} << 24)) {
        throw std::invalid_argument("too many descriptors");
    }
    return {array.data(), array.shape(0), array.shape(1)};
}

Set checked(const nb::object& array, const std::string& metric) {
    Bytes bytes;
    if ((metric == "hamming" || metric == "l2") && nb::try_cast(array, bytes, false)) {
        return {described(bytes), metric == "l2" ? Kind::bytes : Kind::bits};
    }
    Floats floats;
    if ((metric == "cosine" || metric == "l2") && nb::try_cast(array, floats, false)) {
        return {described(floats), metric == "l2" ? Kind::floats : Kind::cosine};
    }
    throw nb::type_error("descriptors must be C-contiguous (n, d) arrays that fit the metric");
}

template <class T>
nb::object array_of(std::vector<T>&& values) {
    auto* kept = new std::vector<T>(std::move(values));
    const nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
    return nb::cast(nb::ndarray<nb::numpy, T, nb::ndim<1>>(kept->data(), {kept->size()}, owner));
}

nb::tuple arrays_of(Nearest& nearest) {
    return nb::make_tuple(array_of(std::move(nearest.index)), array_of(std::move(nearest.distance)),
                          array_of(std::move(nearest.second_distance)));
}

// A set that is matched with many others.
struct PackedSet {
    nb::object array;  // the descriptors, which must outlive their packing
    std::unique_ptr<Packed> packed;

    PackedSet(nb::object array_, const std::string& metric, std::size_t n_threads) : array(std::move(array_)) {
        const Set set = checked(array, metric);
        const Kernels& kernels = active_level();
        const nb::gil_scoped_release release;
        packed = std::make_unique<Packed>(set.descriptors, set.kind, kernels, on(n_threads));
    }

    // From the packed set, and from the other.
    nb::tuple nearest(const nb::object& other, std::size_t n_threads, bool second) const {
        const Kind kind = packed->kind;
        const Set rows = checked(other, kind == Kind::bits ? "hamming" : kind == Kind::cosine ? "cosine" : "l2");
        if (rows.kind != kind || rows.descriptors.dimension != packed->descriptors.dimension) {
            throw std::invalid_argument("the two sets differ in type or dimension");
        }
        Nearest from_packed, from_rows;
        {
            const nb::gil_scoped_release release;
            nearest_both_ways(rows.descriptors, *packed, on(n_threads), second, from_rows, from_packed);
        }
        return nb::make_tuple(arrays_of(from_packed), arrays_of(from_rows));
    }
};

nb::tuple nearest(nb::object descriptors0, nb::object descriptors1, const std::string& metric, std::size_t n_threads,
                  bool second_back) {
    // The smaller set is packed; the larger one is shared out to the threads.
    const bool swapped = nb::len(descriptors0) < nb::len(descriptors1);
    const PackedSet packed(swapped ? descriptors0 : descriptors1, metric, n_threads);
    const nb::tuple found = packed.nearest(swapped ? descriptors1 : descriptors0, n_threads, swapped || second_back);
    return swapped ? found : nb::make_tuple(found[1], found[0]);
}

using Matrix = nb::ndarray<const double, nb::shape<3, 3>, nb::c_contig, nb::device::cpu>;
using Rows = nb::ndarray<const double, nb::shape<-1, 2>, nb::c_contig, nb::device::cpu>;
using Pair = nb::ndarray<const double, nb::shape<2, -1>, nb::c_contig, nb::device::cpu>;
using Values = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

template <void residuals(const double*, const double*, const double*, std::size_t, double*)>
nb::object distances(const Matrix& matrix, const Rows& xy0, const Rows& xy1) {
    if (xy0.shape(0) != xy1.shape(0)) throw std::invalid_argument("the two photos differ in their number of points");
    std::vector<double> found(xy0.shape(0));
    {
        const nb::gil_scoped_release release;
        residuals(matrix.data(), xy0.data(), xy1.data(), found.size(), found.data());
    }
    return array_of(std::move(found));
}

Columns columns(const Pair& x0, const Pair& x1) {
    const std::size_t n = x0.shape(1);
    if (x1.shape(1) != n) throw std::invalid_argument("the two photos differ in their number of points");
    return {x0.data(), x1.data(), n};
}

nb::object refined_homography(const Matrix& matrix, const Rows& xy0, const Rows& xy1,
                              const std::optional<Values>& factors, double max_error, double reach, double stable,
                              int steps) {
    const std::size_t n = xy0.shape(0);
    if (xy1.shape(0) != n) throw std::invalid_argument("the two photos differ in their number of points");
    if (factors && factors->shape(0) != n) throw std::invalid_argument("a factor for each match is needed");
    std::vector<double> refined(matrix.data(), matrix.data() + 9);
    {
        const nb::gil_scoped_release release;
        refine_homography(refined.data(), xy0.data(), xy1.data(), n, factors ? factors->data() : nullptr,
                          {max_error, reach, stable, steps});
    }
    return array_of(std::move(refined));
}

nb::object counts_alike(const Values& turn, const Values& growth, std::size_t step, double most_turn,
                        double most_growth) {
    const std::size_t n = turn.shape(0);
    if (growth.shape(0) != n || step == 0) throw std::invalid_argument("a turn and a growth for each match are needed");
    std::vector<std::int64_t> counts((n + step - 1) / step);
    {
        const nb::gil_scoped_release release;
        count_alike(turn.data(), growth.data(), n, step, most_turn, most_growth, counts.data());
    }
    return array_of(std::move(counts));
}

using Places = nb::ndarray<const float, nb::shape<-1, 2>, nb::c_contig, nb::device::cpu>;
using Sizes = nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

nb::object carried(const Matrix& matrix, const Places& xy0, const Sizes& angle0, const Sizes& angle1, const Sizes& size0,
                   const Sizes& size1, double most_turn, double most_growth) {
    const std::size_t n = xy0.shape(0);
    for (const Sizes* values : {&angle0, &angle1, &size0, &size1}) {
        if (values->shape(0) != n) throw std::invalid_argument("angles and sizes for each match are needed");
    }
    std::vector<std::uint8_t> along(n);
    {
        const nb::gil_scoped_release release;
        carried_along(matrix.data(), {xy0.data(), angle0.data(), angle1.data(), size0.data(), size1.data()}, n, most_turn,
                      most_growth, along.data());
    }
    return array_of(std::move(along));
}

double area(const Places& xy) {
    const nb::gil_scoped_release release;
    return spread_area(xy.data(), xy.shape(0));
}

using Directions = nb::ndarray<const double, nb::shape<-1, 3, 3>, nb::c_contig, nb::device::cpu>;

nb::tuple normal_equations(const Matrix& matrix, const Directions& ways, const Pair& x0, const Pair& x1,
                           double max_error) {
    const std::size_t k = ways.shape(0);
    if (k > 9) throw std::invalid_argument("a matrix has at most nine directions");
    const Columns matches = columns(x0, x1);
    EpipolarNormal found;
    {
        const nb::gil_scoped_release release;
        found = epipolar_normal(matrix.data(), ways.data(), k, matches, max_error);
    }
    return nb::make_tuple(array_of(std::vector<double>(found.equations, found.equations + k * k)),
                          array_of(std::vector<double>(found.right, found.right + k)), found.total, found.squares,
                          found.near);
}

// What the machine could do at most on one thread, for benchmarks: differences of two bits, or products of two
// bytes or floats, a second.
double most_per_second(const std::string& kind) {
    const Kernels& level = active_level();
    const bool shorts = kind == "floats" && level.shorts_pay;
    const auto step = kind == "bits"    ? level.limit_bits
                      : kind == "bytes" ? level.limit_bytes
                      : shorts          ? level.limit_shorts
                                        : level.limit_floats;
    const int in_a_word = kind == "bits" ? 32 : kind == "bytes" ? level.bytes_per_word : shorts ? 2 : 1;
    const std::vector<std::uint32_t> words(1024, 1);
    constexpr std::size_t kRounds = 2000;
    double best = 0;
    std::uint32_t mixed = 0;
    for (int attempt = 0; attempt < 10; ++attempt) {
        const auto start = std::chrono::steady_clock::now();
        mixed ^= step(kRounds, words.data());
        const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
        best = std::max(best, kRounds * 1024.0 * 4 * level.lanes * in_a_word / passed.count());
    }
    return mixed == 1 ? best * (1 + 1e-15) : best;  // the sums must be wanted, or they are left out
}

}  // namespace
}  // namespace tiepoint

NB_MODULE(_core, m) {
    using namespace tiepoint;
    m.attr("MOST_BYTE_DIMENSIONS") = kMostByteDimensions;
    m.def("nearest", &nearest, nb::arg("descriptors0"), nb::arg("descriptors1"), nb::arg("metric"), nb::arg("threads"),
          nb::arg("second_back"));
    nb::class_<PackedSet>(m, "Packed")
        .def(nb::init<nb::object, const std::string&, std::size_t>(), nb::arg("descriptors"), nb::arg("metric"),
             nb::arg("threads"))
        .def(
            "nearest", [](const PackedSet& self, const nb::object& other, std::size_t n_threads) {
                return self.nearest(other, n_threads, true);
            },
            nb::arg("descriptors"), nb::arg("threads"));
    m.def("transfer_residuals", &distances<transfer_residuals>, nb::arg("matrix"), nb::arg("xy0"), nb::arg("xy1"));
    m.def("epipolar_residuals", &distances<epipolar_residuals>, nb::arg("matrix"), nb::arg("xy0"), nb::arg("xy1"));
    m.def("refined_homography", &refined_homography, nb::arg("matrix"), nb::arg("xy0"), nb::arg("xy1"),
          nb::arg("factors").none(), nb::arg("max_error"), nb::arg("reach"), nb::arg("stable"), nb::arg("steps"));
    m.def("counts_alike", &counts_alike, nb::arg("turn"), nb::arg("growth"), nb::arg("step"), nb::arg("most_turn"),
          nb::arg("most_growth"));
    m.def("carried_along", &carried, nb::arg("matrix"), nb::arg("xy0"), nb::arg("angle0"), nb::arg("angle1"),
          nb::arg("size0"), nb::arg("size1"), nb::arg("most_turn"), nb::arg("most_growth"));
    m.def("spread_area", &area, nb::arg("xy"));
    m.def("epipolar_normal", &normal_equations, nb::arg("matrix"), nb::arg("ways"), nb::arg("x0"), nb::arg("x1"),
          nb::arg("max_error"));
    m.def("level", [] { return std::string(active_level().name); });
    m.def("available_levels", [] {
        std::vector<std::string> names;
        for (const Kernels* level : available_levels()) names.emplace_back(level->name);
        return names;
    });
    m.def("force_level", &force_level, nb::arg("name"));
    m.def("most_per_second", &most_per_second, nb::arg("kind"));
    m.def("cpu_name", &cpu_name);
}
