import Autodiff
import Kernels

/// Threads and what each of them owns: a tape and a workspace, reused for every shard that it takes.
public final class Workers {
    public let pool: WorkerPool
    /// A tape for passes whose record need not outlive its shard.
    public let tapes: [Tape]
    public let workspaces: [Workspace]

    /// - Parameter threads: at least 1.
    public init(threads: Int) {
        pool = WorkerPool(threads: threads)
        tapes = (0..<threads).map { _ in Tape() }
        workspaces = (0..<threads).map { _ in Workspace() }
    }

    deinit { pool.stop() }
}
