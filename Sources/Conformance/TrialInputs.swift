import Interface
import Kernels

/// Rows of `StepInputs` that own their memory.
public final class OwnedInputs {
    private let columns: StepColumns
    private let rows: Int

    public init(_ rows: [StepInput], space: ObservationSpace) {
        columns = StepColumns(space: space, rows: rows.count)
        self.rows = rows.count
        for (row, input) in rows.enumerated() { columns.writer.write(input, to: row) }
    }

    /// Valid as long as this object lives.
    public var inputs: StepInputs { columns.inputs(from: 0, rows: rows) }
}

/// What some trials show, by trial and step: it can be changed, and packed in any order.
public struct TrialInputs: Sendable {
    /// `steps[trial][step]`
    public var steps: [[StepInput]]
    public let observation: ObservationSpace
    public let actions: Int

    public init(steps: [[StepInput]], observation: ObservationSpace, actions: Int) {
        self.steps = steps
        self.observation = observation
        self.actions = actions
    }

    /// Trials of random inputs: an episode ends at a third of the steps.
    /// - Parameter lengths: steps of each trial, in any order.
    public init(lengths: [Int], observation: ObservationSpace, actions: Int, random: inout RandomSource) {
        self.observation = observation
        self.actions = actions
        steps = []
        for length in lengths {
            var trial: [StepInput] = []
            for step in 0..<length {
                trial.append(
                    TrialInputs.input(step: step, observation: observation, actions: actions, random: &random))
            }
            steps.append(trial)
        }
    }

    /// A random input for a step; the first of a trial has no action, reward or episode behind it.
    static func input(
        step: Int, observation: ObservationSpace, actions: Int, random: inout RandomSource
    ) -> StepInput {
        var (vector, image): ([Float], [UInt8]) = ([], [])
        switch observation {
        case .vector(let width): vector = random.normals(width)
        case .image: image = (0..<observation.count).map { _ in UInt8(random.integer(below: 256)) }
        }
        let action = Int32(random.integer(below: actions))
        let (reward, ends) = (Float(random.normal()), random.integer(below: 3) == 0)
        return StepInput(
            vector: vector, image: image, previousAction: step == 0 ? -1 : action,
            previousReward: step == 0 ? 0 : reward, episodeEnd: step > 0 && ends ? 1 : 0, stepIndex: Int32(step))
    }

    /// These trials with all that is shown at some steps of one trial drawn anew; actions change for certain.
    public func changed(trial: Int, steps range: Range<Int>, random: inout RandomSource) -> TrialInputs {
        var result = self
        for step in range {
            var input = TrialInputs.input(step: step, observation: observation, actions: actions, random: &random)
            let before = steps[trial][step].previousAction
            if step > 0, actions > 1, input.previousAction == before {
                input.previousAction = (before + 1) % Int32(actions)
            }
            result.steps[trial][step] = input
        }
        return result
    }

    /// The trials of somebody who calls action a `names[a]`; `names` is a permutation of 0 ..< A.
    public func relabelled(_ names: [Int]) -> TrialInputs {
        var result = self
        for (trial, steps) in steps.enumerated() {
            for (step, input) in steps.enumerated() where input.previousAction >= 0 {
                result.steps[trial][step].previousAction = Int32(names[Int(input.previousAction)])
            }
        }
        return result
    }

    /// Orders of the trials that a packed batch may have: longest first, equals in the order of `preference`.
    public func packingOrder(preference: [Int]? = nil) -> [Int] {
        let order = preference ?? Array(steps.indices)
        let place = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
        return order.sorted { (steps[$1].count, place[$0]!) < (steps[$0].count, place[$1]!) }
    }

    /// The trials of `order`, longest first, as a packed batch.
    public func packed(_ order: [Int]) -> (rows: OwnedInputs, shape: PackedShape) {
        let shape = PackedShape(lengths: order.map { steps[$0].count })
        let rows = (0..<shape.steps).flatMap { step in
            (0..<shape.lanesAtStep[step]).map { steps[order[$0]][step] }
        }
        return (OwnedInputs(rows, space: observation), shape)
    }
}
