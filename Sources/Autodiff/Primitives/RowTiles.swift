/// Tall matrices a few rows at a time, so that what a primitive computes between two matrix products stays in the
/// second-level cache: ninety-six rows of 512 numbers are 192 KiB.
enum RowTiles {
    /// A multiple of the twelve rows that the kernel of `RightFactor` takes at once.
    static let height = 96

    @inline(__always)
    static func forEach(of rows: Int, _ body: (_ first: Int, _ count: Int) -> Void) {
        for first in stride(from: 0, to: rows, by: height) { body(first, min(height, rows - first)) }
    }
}
