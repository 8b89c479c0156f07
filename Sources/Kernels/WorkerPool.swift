import Foundation
import Synchronization

/// A fixed set of threads that run numbered jobs.
///
/// Which thread takes which job depends on timing; results must not. So a job writes only what belongs to its number,
/// and anything that belongs to a thread (scratch memory) carries no information between jobs.
public final class WorkerPool: @unchecked Sendable {
    // Unchecked because the compiler cannot see the lock: all `var`s are read and written under `condition`.

    /// Threads that take jobs, the caller's among them.
    public let threadCount: Int

    private let condition = NSCondition()
    private var generation = 0
    private var active = 0
    private var stopping = false
    private var job: (@Sendable (Int, Int) -> Void)?
    private var jobCount = 0
    private let nextJob = Atomic<Int>(0)

    public init(threads: Int) {
        precondition(threads >= 1, "a pool needs at least one thread")
        threadCount = threads
        for worker in 1..<max(threads, 1) {
            let thread = Thread { [self] in loop(worker) }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    /// Ends the threads. Call it before the pool goes; a pool that lives as long as the process needs no call.
    public func stop() {
        condition.lock()
        stopping = true
        condition.broadcast()
        condition.unlock()
    }

    /// Runs `job(index, worker)` for every index in 0 ..< count and returns when all are done. `worker` is in
    /// 0 ..< threadCount and no two jobs run at the same time under the same worker. Not to be called from within a job.
    public func run(_ count: Int, _ body: (_ index: Int, _ worker: Int) -> Void) {
        guard count > 0 else { return }
        if threadCount == 1 || count == 1 {
            for index in 0..<count { body(index, 0) }
            return
        }
        withoutActuallyEscaping(body) { escaping in
            nonisolated(unsafe) let shared = escaping
            let sendable: @Sendable (Int, Int) -> Void = { shared($0, $1) }
            condition.lock()
            precondition(!stopping, "a pool that was stopped has no threads")
            job = sendable
            jobCount = count
            nextJob.store(0, ordering: .relaxed)
            active = threadCount - 1
            generation += 1
            condition.broadcast()
            condition.unlock()

            take(sendable, count, worker: 0)

            condition.lock()
            while active > 0 { condition.wait() }
            job = nil
            condition.unlock()
        }
    }

    private func take(_ job: (Int, Int) -> Void, _ count: Int, worker: Int) {
        while true {
            let index = nextJob.wrappingAdd(1, ordering: .relaxed).oldValue
            if index >= count { return }
            job(index, worker)
        }
    }

    private func loop(_ worker: Int) {
        var seen = 0
        while true {
            condition.lock()
            while generation == seen && !stopping { condition.wait() }
            if stopping {
                condition.unlock()
                return
            }
            seen = generation
            var current = job
            let count = jobCount
            condition.unlock()
            if current != nil { take(current!, count, worker: worker) }
            // The caller's closure must be let go before the caller is told that all is done: it does not escape.
            current = nil
            condition.lock()
            active -= 1
            if active == 0 { condition.broadcast() }
            condition.unlock()
        }
    }
}
