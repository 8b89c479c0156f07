import Kernels
import Synchronization
import Testing

@Suite struct WorkerPoolTests {
    /// Every job runs once, whatever the numbers of threads and jobs, over and over with one pool.
    @Test(arguments: [1, 2, 3, 8])
    func jobsRunExactlyOnce(_ threads: Int) {
        let pool = WorkerPool(threads: threads)
        defer { pool.stop() }
        for run in 0..<2_000 {
            let count = run % 23
            // A job writes its own place only, so the array needs no lock.
            let runs = UnsafeMutableBufferPointer<Int>.allocate(capacity: count + 1)
            runs.initialize(repeating: 0)
            nonisolated(unsafe) let places = runs
            pool.run(count) { index, _ in places[index] += 1 }
            #expect(runs.prefix(count).allSatisfy { $0 == 1 } && runs[count] == 0)
            runs.deallocate()
        }
    }

    /// Under a worker's number there is never more than one job at a time: its scratch memory is its own.
    @Test func workersAreExclusive() {
        let threads = 4
        let pool = WorkerPool(threads: threads)
        defer { pool.stop() }
        let busy = Mutex([Int](repeating: 0, count: threads))
        let violations = Atomic<Int>(0)
        for _ in 0..<200 {
            pool.run(50) { index, worker in
                busy.withLock {
                    if worker < 0 || worker >= threads || $0[worker] != 0 {
                        violations.wrappingAdd(1, ordering: .relaxed)
                    } else {
                        $0[worker] += 1
                    }
                }
                var sum = 0
                for k in 0..<(index * 20) { sum &+= k &* k }
                busy.withLock { $0[worker] -= sum == -1 ? 2 : 1 }
            }
        }
        #expect(violations.load(ordering: .relaxed) == 0)
    }

    /// What jobs wrote is there when `run` returns.
    @Test func resultsAreSeen() {
        let pool = WorkerPool(threads: 3)
        defer { pool.stop() }
        let total = Atomic<Int>(0)
        for _ in 0..<500 { pool.run(10) { index, _ in total.wrappingAdd(index, ordering: .relaxed) } }
        #expect(total.load(ordering: .relaxed) == 500 * 45)
    }
}
