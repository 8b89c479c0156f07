import CKernels
import COpenBLAS
import Foundation
import Synchronization

/// Matrix products, through OpenBLAS on one thread a caller: the parallelism of rl2x lies in its shards.
public enum BLAS {
    /// How OpenBLAS's kernels were chosen, for `info` and the manifest.
    public struct KernelSet: Sendable {
        /// OpenBLAS's name of the kernels in use, such as `SkylakeX`.
        public let name: String
        /// What OpenBLAS had chosen by itself, or what the user asked for.
        public let detected: String
        /// Why `name` is in use: `library`, `user` (OPENBLAS_CORETYPE) or `cpuid`.
        public let source: String
    }

    /// The kernel set in use. Reading it makes the choice, once; every product does so first.
    ///
    /// Debian's OpenBLAS 0.3.21 takes processors that are newer than itself for a Haswell and so leaves their AVX-512
    /// units idle. The kernels can be switched inside the process.
    public static let kernelSet: KernelSet = {
        let detected = String(cString: openblas_get_corename())
        openblas_set_num_threads(1)
        if let wanted = getenv("OPENBLAS_CORETYPE"), wanted.pointee != 0 {
            return KernelSet(name: detected, detected: detected, source: "user")
        }
        let knowsAVX512 = ["SkylakeX", "Cooperlake", "SapphireRapids"].contains(detected)
        guard Processor.current.hasAVX512, !knowsAVX512 else {
            return KernelSet(name: detected, detected: detected, source: "library")
        }
        setenv("OPENBLAS_CORETYPE", "SkylakeX", 1)
        gotoblas_dynamic_quit()
        gotoblas_dynamic_init()
        unsetenv("OPENBLAS_CORETYPE")
        openblas_set_num_threads(1)
        let chosen = String(cString: openblas_get_corename())
        return KernelSet(name: chosen, detected: detected, source: "cpuid")
    }()

    /// OpenMP's own switch, if this OpenBLAS was built with it. Such a library asks OpenMP how many threads to run, and
    /// OpenMP keeps that number for each thread that calls; `openblas_set_num_threads` sets it for the caller alone.
    private static let setThreadsOfOpenMP: (@convention(c) (Int32) -> Void)? = {
        guard openblas_get_parallel() == 2, let symbol = dlsym(nil, "omp_set_num_threads") else { return nil }
        return unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Void).self)
    }()

    /// Every product runs on the thread that asks for it and no other.
    @inline(__always)
    private static func prepare() {
        _ = kernelSet
        setThreadsOfOpenMP?(1)
    }

    private static let counter = Atomic<Int>(0)

    /// Floating-point operations of all products so far (2mnk each), over all threads.
    public static var operations: Int { counter.load(ordering: .relaxed) }

    /// Those of the calling thread alone, whatever others do meanwhile.
    public static var operationsOfThisThread: Int { rl2x_thread_operations(0) }

    /// Counts the operations of products that a kernel of our own has done.
    @inline(__always)
    public static func count(operations: Int) {
        counter.wrappingAdd(operations, ordering: .relaxed)
        _ = rl2x_thread_operations(operations)
    }

    /// C [m, n] = alpha · op(A) op(B) + beta · C, row-major.
    ///
    /// - Parameters:
    ///   - m: rows of op(A) and C.
    ///   - n: columns of op(B) and C.
    ///   - k: columns of op(A), rows of op(B).
    ///   - a: op(A) [m, k]; stored [k, m] if `transposeA`.
    ///   - lda: row stride of A as stored; likewise `ldb`, `ldc`.
    ///   - b: op(B) [k, n]; stored [n, k] if `transposeB`.
    @inline(__always)
    public static func multiply(
        _ m: Int, _ n: Int, _ k: Int,
        _ a: UnsafePointer<Float>, _ lda: Int, transposeA: Bool = false,
        _ b: UnsafePointer<Float>, _ ldb: Int, transposeB: Bool = false,
        into c: UnsafeMutablePointer<Float>, _ ldc: Int, alpha: Float = 1, beta: Float = 0
    ) {
        prepare()
        guard m > 0, n > 0 else { return }
        cblas_sgemm(
            CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
            blasint(m), blasint(n), blasint(k), alpha, a, blasint(lda), b, blasint(ldb), beta, c, blasint(ldc))
        count(operations: 2 * m * n * k)
    }

    /// The same in double precision, for statistics: sums over many rows that are subtracted from one another.
    public static func multiply(
        _ m: Int, _ n: Int, _ k: Int,
        _ a: UnsafePointer<Double>, _ lda: Int, transposeA: Bool = false,
        _ b: UnsafePointer<Double>, _ ldb: Int, transposeB: Bool = false,
        into c: UnsafeMutablePointer<Double>, _ ldc: Int, alpha: Double = 1, beta: Double = 0
    ) {
        prepare()
        guard m > 0, n > 0 else { return }
        cblas_dgemm(
            CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
            blasint(m), blasint(n), blasint(k), alpha, a, blasint(lda), b, blasint(ldb), beta, c, blasint(ldc))
        count(operations: 2 * m * n * k)
    }
}
