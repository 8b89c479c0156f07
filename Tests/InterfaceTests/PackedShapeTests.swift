import Interface
import Testing

@Suite struct PackedShapeTests {
    @Test(arguments: [[5, 4, 4, 2], [1], [3, 3, 3], [7, 1, 1], [2, 2, 1], [100, 99, 3]])
    func rowsAreTheLanesAlive(_ lengths: [Int]) {
        let shape = PackedShape(lengths: lengths)
        #expect(shape.lanes == lengths.count)
        #expect(shape.steps == lengths[0])
        #expect(shape.rows == lengths.reduce(0, +))
        var row = 0
        for step in 0..<shape.steps {
            #expect(shape.offsets[step] == row)
            #expect(shape.lanesAtStep[step] == lengths.count { $0 > step })
            for lane in 0..<shape.lanesAtStep[step] {
                #expect(shape.row(step: step, lane: lane) == row)
                row += 1
            }
        }
        #expect(row == shape.rows)
        for (lane, length) in lengths.enumerated() { #expect(shape.length(lane: lane) == length) }
        #expect(PackedShape(shape, times: 3) == PackedShape(lengths: lengths.flatMap { [$0, $0, $0] }))
    }

    @Test func shapesCanBeReplaced() {
        var shape = PackedShape(lengths: [9, 8, 1])
        shape.set(lengths: [2, 1])
        #expect(shape == PackedShape(lengths: [2, 1]))
        #expect(shape.lanesAtStep == [2, 1] && shape.offsets == [0, 2] && shape.rows == 3)
        shape.set(lengths: [])
        #expect(shape == PackedShape() && shape.lanes == 0 && shape.steps == 0 && shape.rows == 0)
    }
}
