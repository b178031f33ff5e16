#include "threads.hpp"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#if defined(_WIN32)
#include <process.h>
#else
#include <unistd.h>
#endif

namespace tiepoint {
namespace {

long process() {
#if defined(_WIN32)
    return _getpid();
#else
    return getpid();
#endif
}

struct Job {
    std::size_t n_tasks;
    const std::function<void(std::size_t, std::size_t)>* task;
    std::atomic<std::size_t> next{0};
    std::atomic<bool> failed{false};
    std::mutex error_lock;
    std::exception_ptr error{};

    void fail(std::exception_ptr thrown) {
        const std::lock_guard<std::mutex> hold(error_lock);
        if (!error) error = thrown;
        failed = true;
    }

    void work(std::size_t worker, const std::function<void()>* alive) {
        try {
            while (!failed) {
                const std::size_t i = next++;
                if (i >= n_tasks) return;
                if (alive != nullptr) (*alive)();
                (*task)(i, worker);
            }
        } catch (...) {
            fail(std::current_exception());
        }
    }
};

class Pool {
public:
    const long owner = process();
    std::mutex in_use;  // one job at a time

    void run(Job& job, std::size_t helpers, const std::function<void()>& alive) {
        try {
            while (threads_.size() < helpers) {
                const std::size_t worker = threads_.size() + 1;
                threads_.emplace_back([this, worker] { serve(worker); });
                threads_.back().detach();
            }
        } catch (const std::system_error&) {
            helpers = threads_.size();  // no more threads to be had: those that are there do it
        }
        {
            const std::lock_guard<std::mutex> hold(lock_);
            job_ = &job;
            wanted_ = helpers;
            ++number_;
        }
        wake_.notify_all();
        job.work(0, &alive);
        // Whoever has not woken by now is not waited for: nothing is left to do.
        std::unique_lock<std::mutex> hold(lock_);
        job_ = nullptr;
        done_.wait(hold, [this] { return running_ == 0; });
    }

private:
    std::mutex lock_;
    std::condition_variable wake_, done_;
    std::vector<std::thread> threads_;
    Job* job_ = nullptr;
    std::size_t wanted_ = 0, running_ = 0, number_ = 0;

    void serve(std::size_t worker) {
        std::size_t seen = 0;
        std::unique_lock<std::mutex> hold(lock_);
        for (;;) {
            wake_.wait(hold, [&] { return number_ != seen; });
            seen = number_;
            if (job_ == nullptr || worker > wanted_) continue;
            Job* job = job_;
            ++running_;
            hold.unlock();
            job->work(worker, nullptr);
            hold.lock();
            if (--running_ == 0) done_.notify_one();
        }
    }
};

std::atomic<Pool*> current{nullptr};

// Never destroyed: its threads may outlive static objects. A child process has none of its parent's threads, and
// its parent's locks may be held for ever: it gets a pool of its own.
Pool& pool() {
    Pool* there = current.load();
    if (there == nullptr || there->owner != process()) {
        Pool* fresh = new Pool;
        if (current.compare_exchange_strong(there, fresh)) return *fresh;
        delete fresh;
        there = current.load();
    }
    return *there;
}

}  // namespace

void parallel(std::size_t n_tasks, std::size_t n_threads, const std::function<void(std::size_t, std::size_t)>& task,
              const std::function<void()>& alive) {
    Job job;
    job.n_tasks = n_tasks;
    job.task = &task;
    const std::size_t threads = n_threads < n_tasks ? n_threads : n_tasks;
    if (threads > 1) {
        Pool& all = pool();
        const std::unique_lock<std::mutex> hold(all.in_use, std::try_to_lock);
        if (hold.owns_lock()) {
            all.run(job, threads - 1, alive);
        } else {
            job.work(0, &alive);  // another caller has the pool, and so the CPUs
        }
    } else {
        job.work(0, &alive);
    }
    if (job.error) std::rethrow_exception(job.error);
}

}  // namespace tiepoint
