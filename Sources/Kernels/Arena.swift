import CKernels
import Foundation
import Platform

/// A block of memory that is filled from the front, emptied at once, and never given back while it lives.
///
/// A tape of an iteration has the same size as the one before it, so after the first iteration an arena neither asks
/// the system for memory nor faults in a page. Places in an arena are *offsets* in floats: growing may move the
/// block, and offsets survive that. Take pointers only after the last `allocate` of a step.
///
/// Memory is mapped on huge pages where the kernel offers them, because a recurrent pass streams through hundreds of
/// megabytes and would otherwise miss the translation buffer on every page.
public final class Arena {
    /// Start of the block; invalid after the next `allocate`.
    public private(set) var base: UnsafeMutablePointer<Float>
    /// Floats in use.
    public private(set) var used = 0
    /// Floats mapped.
    public private(set) var capacity: Int

    /// Offsets are multiples of this many floats (64 bytes: a cache line, an AVX-512 vector).
    public static let alignment = 16

    public init(capacity: Int = 1 << 16) {
        self.capacity = Arena.wholePages(capacity)
        base = Arena.map(floats: self.capacity)
    }

    deinit { munmap(base, capacity * MemoryLayout<Float>.size) }

    /// Reserves `count` floats and returns their offset. The contents are those of an earlier use.
    public func allocate(_ count: Int) -> Int {
        let offset = used
        used += (count + Arena.alignment - 1) / Arena.alignment * Arena.alignment
        if used > capacity { grow(to: used) }
        return offset
    }

    /// Makes `count` floats from the front valid without touching them: for arenas that mirror another's offsets.
    public func reserve(_ count: Int) {
        if count > capacity { grow(to: count) }
        used = max(used, count)
    }

    /// Forgets all allocations. The memory stays mapped, its contents stay as they are.
    public func reset() { used = 0 }

    private func grow(to needed: Int) {
        let larger = Arena.wholePages(max(needed, capacity * 2))
        let bytes = MemoryLayout<Float>.size
        guard let moved = rl2x_grow_mapping(base, capacity * bytes, larger * bytes) else {
            Console.failForLackOfMemory(bytes: larger * bytes)
        }
        rl2x_advise_huge_pages(moved, larger * bytes)
        base = moved.assumingMemoryBound(to: Float.self)
        capacity = larger
    }

    private static func wholePages(_ floats: Int) -> Int { (max(floats, 1) + 1023) / 1024 * 1024 }

    private static func map(floats: Int) -> UnsafeMutablePointer<Float> {
        let bytes = floats * MemoryLayout<Float>.size
        let block = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let block, block != MAP_FAILED else { Console.failForLackOfMemory(bytes: bytes) }
        rl2x_advise_huge_pages(block, bytes)
        return block.assumingMemoryBound(to: Float.self)
    }
}
