// A small pool of threads: started when first needed, kept, and started anew in a forked process.
#pragma once

#include <cstddef>
#include <functional>

namespace tiepoint {

// Calls task(i, worker) for every i < n_tasks, on at most n_threads threads, this one among them. `worker` is below
// n_threads, and no two calls with the same one run at once. The first exception ends the work and is thrown here.
//
// `alive` is asked on the calling thread between its tasks; an exception from it likewise ends the work.
void parallel(std::size_t n_tasks, std::size_t n_threads, const std::function<void(std::size_t, std::size_t)>& task,
              const std::function<void()>& alive);

}  // namespace tiepoint
