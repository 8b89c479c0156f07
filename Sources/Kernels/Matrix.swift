import Foundation
import Platform

/// A row-major Float32 matrix [rows, columns] that owns its memory: parameters, memories and scratch that outlive a
/// tape. Rows may be dropped from the end (`setRows`) without giving memory back.
public final class Matrix: @unchecked Sendable {
    // Unchecked because the compiler cannot see who writes: a matrix is written by one thread at a time, and those that
    // several threads share (weights of a policy that plays) are not written meanwhile.

    public let pointer: UnsafeMutablePointer<Float>
    public private(set) var rows: Int
    public let columns: Int
    private let capacity: Int

    /// A matrix of zeros.
    public init(rows: Int, columns: Int) {
        precondition(rows >= 0 && columns >= 0, "a matrix cannot have \(rows) rows and \(columns) columns")
        self.rows = rows
        self.columns = columns
        capacity = rows
        // Not `.allocate`, which crashes where there is no memory.
        let (count, bytes) = (max(1, rows * columns), MemoryLayout<Float>.stride)
        guard let block = calloc(count, bytes) else { Console.failForLackOfMemory(bytes: count * bytes) }
        pointer = block.bindMemory(to: Float.self, capacity: count)
    }

    deinit { free(pointer) }

    public var count: Int { rows * columns }

    public subscript(row: Int, column: Int) -> Float {
        get {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns, "index out of the matrix")
            return pointer[row * columns + column]
        }
        set {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns, "index out of the matrix")
            pointer[row * columns + column] = newValue
        }
    }

    public func fill(_ value: Float) { pointer.update(repeating: value, count: count) }

    public func zero(row: Int) { (pointer + row * columns).update(repeating: 0, count: columns) }

    public func copy(from source: UnsafePointer<Float>) { pointer.update(from: source, count: count) }

    /// Overwrites row `destination` with row `source`.
    public func move(row source: Int, to destination: Int) {
        guard source != destination else { return }
        (pointer + destination * columns).update(from: pointer + source * columns, count: columns)
    }

    /// Sets the number of rows, up to the number that the matrix was made with.
    public func setRows(_ count: Int) {
        precondition(count >= 0 && count <= capacity, "a matrix of \(capacity) rows cannot hold \(count)")
        rows = count
    }
}
