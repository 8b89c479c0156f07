import Interface

/// The steps of a packed batch in runs whose rows are worked on together: as many as make up about 256 rows, at least one.
///
/// Of a recurrence only the product with the last state has to wait for the step before. All other products are taken over
/// the rows of a run at once, which a few lanes at a time would not fill, and what passes between them stays in the
/// second-level cache.
struct StepBlocks {
    private static let rows = 256

    let shape: PackedShape

    /// Most rows of a run.
    var mostRows: Int { max(StepBlocks.rows, shape.lanes) }

    /// The steps of each run, first to last.
    @inline(__always)
    func forEach(_ body: (_ steps: Range<Int>) -> Void) {
        var first = 0
        while first < shape.steps {
            var last = first + 1
            while last < shape.steps, rows(of: first..<last + 1).count <= StepBlocks.rows { last += 1 }
            body(first..<last)
            first = last
        }
    }

    /// The steps of each run, last to first.
    @inline(__always)
    func forEachBackwards(_ body: (_ steps: Range<Int>) -> Void) {
        var last = shape.steps
        while last > 0 {
            var first = last - 1
            while first > 0, rows(of: first - 1..<last).count <= StepBlocks.rows { first -= 1 }
            body(first..<last)
            last = first
        }
    }

    /// The packed rows of some steps.
    @inline(__always)
    func rows(of steps: Range<Int>) -> Range<Int> {
        let last = steps.upperBound - 1
        return shape.offsets[steps.lowerBound]..<shape.offsets[last] + shape.lanesAtStep[last]
    }

    /// What each row of some steps had of `states` [N, width] one step before; zeros at a trial's first step.
    func copyPrevious(
        _ steps: Range<Int>, of states: UnsafePointer<Float>, width: Int, to target: UnsafeMutablePointer<Float>
    ) {
        var place = target
        for step in steps {
            let count = shape.lanesAtStep[step] * width
            if step == 0 {
                place.update(repeating: 0, count: count)
            } else {
                place.update(from: states + shape.offsets[step - 1] * width, count: count)
            }
            place += count
        }
    }
}
