import Foundation
import Kernels

/// Distinct images of bytes by number, in the order in which they first come, and what an encoder made of them. An open
/// hash table that asks for no memory once it has been as large.
final class ImageTable {
    /// [count, stride]
    private let images = Arena()
    /// [count, columns]
    private let rows = Arena()
    /// Numbers by hash, −1 where a slot is free; at most half of the slots are taken.
    private var slots: [Int32] = []
    /// U: distinct images.
    private(set) var count = 0
    /// Bytes of an image.
    private(set) var width = 0
    /// Floats from one image to the next.
    private var stride = 0
    /// Floats of a row; 0 as long as there are none.
    private(set) var columns = 0

    /// Bytes in use.
    var usedBytes: Int { (images.used + rows.used) * MemoryLayout<Float>.size }

    /// Bytes that it holds.
    var bytes: Int {
        (images.capacity + rows.capacity) * MemoryLayout<Float>.size + slots.count * MemoryLayout<Int32>.size
    }

    /// Forgets all images.
    func forget() {
        guard count > 0 else { return }
        (count, columns) = (0, 0)
        images.reset()
        rows.reset()
        for slot in slots.indices { slots[slot] = -1 }
    }

    /// Makes room for up to `more` images of `width` bytes; those of another width are forgotten.
    func reserve(_ more: Int, width: Int) {
        if width != self.width { forget() }
        self.width = width
        stride = (width + Arena.alignment * 4 - 1) / (Arena.alignment * 4) * Arena.alignment
        let needed = 2 * (count + more)
        guard needed > slots.count else { return }
        var wanted = 16
        while wanted < needed { wanted *= 2 }
        slots = [Int32](repeating: -1, count: wanted)
        for number in 0..<count { slots[slot(of: image(number))] = Int32(number) }
    }

    /// The number of an image; a new one takes the next.
    func number(of bytes: UnsafePointer<UInt8>) -> Int {
        let slot = slot(of: bytes)
        if slots[slot] < 0 {
            slots[slot] = Int32(count)
            let offset = images.allocate(stride)
            UnsafeMutableRawPointer(images.base + offset).copyMemory(from: bytes, byteCount: width)
            count += 1
        }
        return Int(slots[slot])
    }

    /// Bytes of the image of a number [width].
    func image(_ number: Int) -> UnsafePointer<UInt8> {
        UnsafeRawPointer(images.base + number * stride).assumingMemoryBound(to: UInt8.self)
    }

    /// Keeps the rows [new, columns] of the `new` latest images.
    func append(rows values: UnsafePointer<Float>, count new: Int, columns: Int) {
        self.columns = columns
        let first = (count - new) * columns
        rows.reserve(first + new * columns)
        (rows.base + first).update(from: values, count: new * columns)
    }

    /// The row of a number [columns].
    func row(_ number: Int) -> UnsafePointer<Float> { UnsafePointer(rows.base + number * columns) }

    /// The slot that holds an image, or the first free one from its own on.
    private func slot(of image: UnsafePointer<UInt8>) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: ImageTable.hash(image, width) >> 20) & mask
        while slots[slot] >= 0, memcmp(self.image(Int(slots[slot])), image, width) != 0 { slot = (slot + 1) & mask }
        return slot
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
}
