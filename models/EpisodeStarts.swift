import Autodiff
import Interface

extension StepInputs {
    /// The step, counted from the start of its trial, at which each row's episode began: a constant [rows of `shape`, 1].
    ///
    /// - Parameters:
    ///   - shape: how rows lie in trials; `streams` neighbouring rows are of one input.
    func episodeStarts(_ shape: PackedShape, streams: Int = 1, tape: Tape) -> Node {
        let node = tape.zeros(rows: shape.rows, columns: 1)
        let starts = tape.mutableValue(node)
        for step in 1..<max(1, shape.steps) {
            let (row, before) = (shape.offsets[step], shape.offsets[step - 1])
            for lane in 0..<shape.lanesAtStep[step] {
                starts[row + lane] = episodeEnds[(row + lane) / streams] == 1 ? Float(step) : starts[before + lane]
            }
        }
        return node
    }
}
