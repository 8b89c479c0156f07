import Foundation
import Platform

/// Memory for the largest batch that can come, of which only the part that is used is ever backed by pages.
public final class Buffer<Element: BitwiseCopyable> {
    public let pointer: UnsafeMutablePointer<Element>
    public let capacity: Int
    private let bytes: Int

    public init(capacity: Int) {
        self.capacity = capacity
        bytes = max(capacity * MemoryLayout<Element>.stride, 4096)
        let block = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | Int32(MAP_NORESERVE), -1, 0)
        guard let block, block != MAP_FAILED else {
            Console.failForLackOfMemory(bytes: bytes)
        }
        pointer = block.assumingMemoryBound(to: Element.self)
    }

    deinit { munmap(pointer, bytes) }

    public subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < capacity, "index \(index) of \(capacity)")
            return pointer[index]
        }
        set {
            precondition(index >= 0 && index < capacity, "index \(index) of \(capacity)")
            pointer[index] = newValue
        }
    }
}
