import Foundation
import Kernels

/// Images of bytes of which each distinct one lies on the tape once. A renderer is exact, so frames repeat: what an encoder
/// does to one of them it need not do to the others. Values and derivatives are those of the images one by one; only sums
/// are taken in another order.
public struct DistinctImages {
    /// The distinct images in the order in which they come first: a constant [U, width / 4, rounded up].
    let images: Node
    /// Which of them each image is: a constant [N, 1] whose floats are the bits of `Int32`, as `Embedding` reads them.
    let places: Node
    /// Bytes of an image.
    let width: Int
}

extension Tape {
    /// Copies the distinct ones of `count` images of `width` bytes each to the tape.
    public func distinctImages(_ bytes: UnsafePointer<UInt8>, count: Int, width: Int) -> DistinctImages {
        let places = constant(rows: count, columns: 1)
        // At most half of the slots of the hash table are taken; behind it, the rows of the images that came first.
        var slots = 16
        while slots < 2 * count { slots *= 2 }
        let memory = scratch(slots + count)
        let bytesPerFloat = MemoryLayout<Float>.size
        return memory.withMemoryRebound(to: Int32.self, capacity: slots + count) { table in
            let firsts = table + slots
            let distinct = number(
                bytes, count: count, width: width, table: table, slots: slots, firsts: firsts,
                numbers: mutableValue(places))
            let images = constant(rows: distinct, columns: (width + bytesPerFloat - 1) / bytesPerFloat)
            let target = UnsafeMutableRawPointer(mutableValue(images))
            for image in 0..<distinct {
                (target + image * images.columns * bytesPerFloat).copyMemory(
                    from: bytes + Int(firsts[image]) * width, byteCount: width)
            }
            return DistinctImages(images: images, places: places, width: width)
        }
    }

    /// Numbers distinct images in the order in which they come first, and writes each image's number, its bits.
    ///
    /// - Parameters:
    ///   - table: room for an open hash table of numbers [slots], a power of two.
    ///   - firsts: takes the row of the first image of each number.
    /// - Returns: how many there are.
    private func number(
        _ bytes: UnsafePointer<UInt8>, count: Int, width: Int, table: UnsafeMutablePointer<Int32>, slots: Int,
        firsts: UnsafeMutablePointer<Int32>, numbers: UnsafeMutablePointer<Float>
    ) -> Int {
        table.update(repeating: -1, count: slots)
        var distinct: Int32 = 0
        for row in 0..<count {
            let image = bytes + row * width
            // From the image's slot to the one that holds it, or to the first that is free.
            var slot = Int(truncatingIfNeeded: Tape.hash(image, width) >> 20) & (slots - 1)
            while table[slot] >= 0, memcmp(bytes + Int(firsts[Int(table[slot])]) * width, image, width) != 0 {
                slot = (slot + 1) & (slots - 1)
            }
            if table[slot] < 0 {
                table[slot] = distinct
                firsts[Int(distinct)] = Int32(row)
                distinct += 1
            }
            numbers[row] = Float(bitPattern: UInt32(bitPattern: table[slot]))
        }
        return Int(distinct)
    }

    /// A hash of some bytes, eight at a time in four streams.
    private static func hash(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        let raw = UnsafeRawPointer(bytes)
        let prime: UInt64 = 0x9E37_79B9_7F4A_7C15
        var (a, b, c, d): (UInt64, UInt64, UInt64, UInt64) = (1, 2, 3, 4)
        var offset = 0
        while offset + 32 <= count {
            a = (a ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* prime
            b = (b ^ raw.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)) &* prime
            c = (c ^ raw.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self)) &* prime
            d = (d ^ raw.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self)) &* prime
            // High bits of a product depend on all of its factors, low ones on the low ones alone.
            (a, b, c, d) = (a ^ (a >> 29), b ^ (b >> 29), c ^ (c >> 29), d ^ (d >> 29))
            offset += 32
        }
        while offset < count {
            a = (a ^ UInt64(bytes[offset])) &* prime
            a ^= a >> 29
            offset += 1
        }
        let mixed = ((a &* prime ^ b) &* prime ^ c) &* prime ^ d
        return mixed &* prime
    }

    /// The rows of x [U, C] that belong to the images: [N, C].
    public func spread(_ x: Node, over images: DistinctImages) -> Node {
        precondition(x.rows == images.images.rows, "\(x.rows) rows for \(images.images.rows) images")
        let output = variable(rows: images.places.rows, columns: x.columns)
        apply(Embedding.self, operands(images.places, x), output: output)
        return output
    }
}
