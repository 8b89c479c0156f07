import Kernels
import Testing

@Suite struct ArenaTests {
    @Test func growthKeepsContents() {
        let arena = Arena(capacity: 100)
        var places: [(offset: Int, count: Int)] = []
        for index in 0..<200 {
            let count = index * 37 % 4099 + 1
            let offset = arena.allocate(count)
            (arena.base + offset).update(repeating: Float(index), count: count)
            places.append((offset, count))
        }
        #expect(arena.capacity >= arena.used && arena.used >= places.reduce(0) { $0 + $1.count })
        for (index, place) in places.enumerated() {
            #expect((0..<place.count).allSatisfy { arena.base[place.offset + $0] == Float(index) })
        }
    }

    @Test func offsetsAreAlignedAndApart() {
        let arena = Arena()
        var end = 0
        for count in [1, 16, 17, 0, 5, 1000] {
            let offset = arena.allocate(count)
            #expect(offset % Arena.alignment == 0)
            #expect(offset >= end)
            end = offset + count
        }
        #expect(UInt(bitPattern: arena.base) % 64 == 0)
    }

    /// A second use of the same size neither grows nor moves the block, and finds the old contents.
    @Test func resetKeepsTheMemory() {
        let arena = Arena(capacity: 16)
        _ = arena.allocate(5000)
        arena.base[4999] = 7
        let (capacity, base) = (arena.capacity, arena.base)
        arena.reset()
        #expect(arena.used == 0)
        _ = arena.allocate(5000)
        #expect(arena.capacity == capacity && arena.base == base && arena.base[4999] == 7)
    }

    @Test func reserveMirrorsAnother() {
        let arena = Arena(capacity: 16)
        arena.reserve(100_000)
        #expect(arena.used == 100_000 && arena.capacity >= 100_000)
        arena.base[99_999] = 1
        arena.reserve(10)
        #expect(arena.used == 100_000)
    }
}

@Suite struct MatrixTests {
    @Test func rowsMoveAndEnd() {
        let matrix = Matrix(rows: 3, columns: 2)
        #expect(matrix.count == 6 && (0..<6).allSatisfy { matrix.pointer[$0] == 0 })
        matrix.copy(from: [1, 2, 3, 4, 5, 6])
        matrix.move(row: 2, to: 0)
        matrix.zero(row: 1)
        #expect((0..<6).map { matrix.pointer[$0] } == [5, 6, 0, 0, 5, 6])
        matrix.setRows(1)
        matrix.fill(9)
        #expect(matrix.count == 2 && matrix[0, 1] == 9)
        matrix.setRows(3)
        #expect(matrix[2, 1] == 6)
    }
}
