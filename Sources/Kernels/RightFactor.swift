import CKernels

/// The right factor B [depth, columns] of several products C = A B whose left factors are tiles of a tall matrix.
///
/// A library's product brings both factors into an order of its own at every call, which a product of depth 128 does
/// not repay. Here B is brought into order once, into memory of the caller's, and A is read where it lies. On processors
/// without AVX-512, and for few rows or columns, the products are the library's.
public struct RightFactor {
    private let b: UnsafePointer<Float>
    private let depth: Int
    private let columns: Int
    private let stride: Int
    private let transposed: Bool
    private let panels: UnsafePointer<Float>?

    /// Rows of all left factors together from which on it pays to bring B into order; a transposed B takes longer.
    private static let leastRows = (plain: 64, transposed: 96)
    private static let panelColumns = 32

    /// Floats of memory that a factor may need.
    @inline(__always)
    public static func floats(depth: Int, columns: Int) -> Int {
        (columns + panelColumns - 1) / panelColumns * panelColumns * depth
    }

    /// - Parameters:
    ///   - b: B [depth, columns], or stored [columns, depth] if `transposed`, rows `stride` floats apart. It must stay as it
    ///     is while the factor is used.
    ///   - rows: rows of the left factors of all products that are to come.
    ///   - memory: `floats(depth:columns:)` floats.
    @inline(__always)
    public init(
        _ b: UnsafePointer<Float>, depth: Int, columns: Int, stride: Int, transposed: Bool = false, rows: Int,
        memory: UnsafeMutablePointer<Float>
    ) {
        self.b = b
        self.depth = depth
        self.columns = columns
        self.stride = stride
        self.transposed = transposed
        // Columns beyond the last cost as much as those of the matrix.
        let leastRows = transposed ? RightFactor.leastRows.transposed : RightFactor.leastRows.plain
        guard Processor.current.hasAVX512, rows >= leastRows, columns >= RightFactor.panelColumns / 2 else {
            panels = nil
            return
        }
        rl2x_pack_panels(depth, columns, b, stride, transposed ? 1 : 0, memory)
        panels = UnsafePointer(memory)
    }

    /// C [rows, columns] = A B, or C += A B if `add`.
    ///
    /// - Parameters:
    ///   - a: A [rows, depth], or stored [depth, rows] if `transposeA`, rows `lda` floats apart.
    @inline(__always)
    public func multiply(
        _ rows: Int, _ a: UnsafePointer<Float>, _ lda: Int, transposeA: Bool = false,
        into c: UnsafeMutablePointer<Float>, _ ldc: Int, add: Bool = false
    ) {
        let operations = multiplyPart(
            rows, columns: columns, depth: depth, a, lda, transposeA: transposeA, into: c, ldc, add: add)
        BLAS.count(operations: operations)
    }

    /// The product with the first `depth` rows and `columns` columns of B.
    ///
    /// - Parameters:
    ///   - isPadded: rows of C have room for `paddedColumns(columns)` columns, which may be written.
    /// - Returns: operations that the caller has to count (`BLAS.count`), many small products at once.
    @inline(__always)
    public func multiplyPart(
        _ rows: Int, columns: Int, depth: Int, _ a: UnsafePointer<Float>, _ lda: Int, transposeA: Bool = false,
        into c: UnsafeMutablePointer<Float>, _ ldc: Int, isPadded: Bool = false, add: Bool = false
    ) -> Int {
        guard let panels else {
            BLAS.multiply(
                rows, columns, depth, a, lda, transposeA: transposeA, b, stride, transposeB: transposed, into: c, ldc,
                beta: add ? 1 : 0)
            return 0
        }
        rl2x_panel_product(
            rows, isPadded ? RightFactor.paddedColumns(columns) : columns, depth, a, transposeA ? 1 : lda,
            transposeA ? lda : 1, panels, self.depth * RightFactor.panelColumns, c, ldc, add ? 1 : 0)
        return 2 * rows * columns * depth
    }

    /// `columns` rounded up to whole vectors.
    @inline(__always)
    public static func paddedColumns(_ columns: Int) -> Int { (columns + 15) / 16 * 16 }
}
