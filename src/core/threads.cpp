#include "threads.hpp"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#if defined(_WIN32)
#include <process.h>
#else
#include <unistd.h>
#endif
#if defined(__linux__) && defined(__x86_64__)
#define TIEPOINT_PLACES_THREADS 1
#include <cpuid.h>
#include <pthread.h>
#include <sched.h>
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

#ifdef TIEPOINT_PLACES_THREADS
bool on_virtual_cpus() {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c >> 31 & 1) != 0;
}

// Where helpers wake. To Linux in a virtual machine, a CPU that sleeps looks as if its host had taken it away: a thread
// would wake on the CPU of the one that woke it, and wait behind it for up to 4 ms. So each is sent to another CPU, and
// is free to move once it is there.
class Places {
public:
    Places() {
        static const bool needed = on_virtual_cpus();
        if (!needed || sched_getaffinity(0, sizeof allowed_, &allowed_) != 0) return;
        const int here = sched_getcpu();
        for (int i = 1; i < CPU_SETSIZE; ++i) {
            const int cpu = (here + i) % CPU_SETSIZE;
            if (CPU_ISSET(cpu, &allowed_)) others_.push_back(cpu);
        }
    }

    void send(std::thread::native_handle_type thread, std::size_t number) const {
        if (others_.empty()) return;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(others_[number % others_.size()], &one);
        pthread_setaffinity_np(thread, sizeof one, &one);
    }

    void arrived() const {
        if (!others_.empty()) sched_setaffinity(0, sizeof allowed_, &allowed_);
    }

private:
    cpu_set_t allowed_{};
    std::vector<int> others_;  // those that are allowed, without the caller's
};
#else
struct Places {
    void send(std::thread::native_handle_type, std::size_t) const {}
    void arrived() const {}
};
#endif

class Pool {
public:
    const long owner = process();
    std::mutex in_use;  // one job at a time

    void run(Job& job, std::size_t helpers, const std::function<void()>& alive) {
        threads_.reserve(helpers);  // a thread that runs must find its place here
        try {
            while (threads_.size() < helpers) {
                const std::size_t worker = threads_.size() + 1;
                std::thread helper([this, worker] { serve(worker); });
                threads_.push_back(helper.native_handle());
                helper.detach();
            }
        } catch (const std::system_error&) {
            helpers = threads_.size();  // no more threads to be had: those that are there do it
        }
        Places places;
        {
            const std::lock_guard<std::mutex> hold(lock_);
            job_ = &job;
            places_ = std::move(places);
            wanted_ = helpers;
            ++number_;
            for (std::size_t i = 0; i < helpers; ++i) places_.send(threads_[i], i);
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
    std::vector<std::thread::native_handle_type> threads_;
    Places places_;
    Job* job_ = nullptr;
    std::size_t wanted_ = 0, running_ = 0, number_ = 0;

    void serve(std::size_t worker) {
        std::size_t seen = 0;
        std::unique_lock<std::mutex> hold(lock_);
        for (;;) {
            wake_.wait(hold, [&] { return number_ != seen; });
            seen = number_;
            places_.arrived();
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
