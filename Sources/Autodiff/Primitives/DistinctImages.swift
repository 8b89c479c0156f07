import Foundation
import Kernels

/// Images of bytes of which each distinct one lies on the tape once. A renderer is exact, so frames repeat: what an encoder
/// does to one of them it need not do to the others. Values and derivatives are those of the images one by one; only sums
/// are taken in another order.
public struct DistinctImages {
    /// The distinct images in the order in which they come first: a constant [U, bytes / 4, rounded up].
    let images: Node
    /// Which of them each image is: a constant [N, 1] whose floats are the bits of `Int32`.
    let places: Node
}

extension Tape {
    /// Copies the distinct ones of `count` images of `width` bytes each to the tape.
    public func distinctImages(_ bytes: UnsafePointer<UInt8>, count: Int, width: Int) -> DistinctImages {
        let places = constant(rows: count, columns: 1)
        var slots = 16
        while slots < 2 * count { slots *= 2 }
        // A hash table of the rows of images that came first, and those rows in order.
        let memory = scratch(slots + count)
        let distinct = memory.withMemoryRebound(to: Int32.self, capacity: slots + count) { table in
            let place = mutableValue(places)
            table.update(repeating: -1, count: slots)
            let firsts = table + slots
            var distinct: Int32 = 0
            for row in 0..<count {
                let image = bytes + row * width
                var slot = Int(truncatingIfNeeded: Tape.hash(image, width) >> 20) & (slots - 1)
                var number: Int32 = -1
                while table[slot] >= 0 {
                    if memcmp(bytes + Int(firsts[Int(table[slot])]) * width, image, width) == 0 {
                        number = table[slot]
                        break
                    }
                    slot = (slot + 1) & (slots - 1)
                }
                if number < 0 {
                    number = distinct
                    table[slot] = number
                    firsts[Int(number)] = Int32(row)
                    distinct += 1
                }
                place[row] = Float(bitPattern: UInt32(bitPattern: number))
            }
            return Int(distinct)
        }
        let floats = (width + MemoryLayout<Float>.size - 1) / MemoryLayout<Float>.size
        let images = constant(rows: distinct, columns: floats)
        let target = UnsafeMutableRawPointer(mutableValue(images))
        memory.withMemoryRebound(to: Int32.self, capacity: slots + count) { table in
            for number in 0..<distinct {
                (target + number * floats * MemoryLayout<Float>.size).copyMemory(
                    from: bytes + Int(table[slots + number]) * width, byteCount: width)
            }
        }
        return DistinctImages(images: images, places: places)
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
