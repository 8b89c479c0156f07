import Autodiff
import Interface

/// A recurrent policy to which all actions are alike: renaming them renames its logits, and leaves the value of a critic.
/// What it learns of one action it knows of all, so that a bandit of 50 arms is no harder to learn than one of 5 (compare
/// Kirsch et al. 2022, Introducing symmetries to black box meta reinforcement learning; the maps are those of Zaheer et
/// al. 2017, Deep sets, section 3).
///
/// Each of the k actions, *arms*, has a state of its own and all share one recurrent cell, of any recurrent model:
///
///     x_a     = (s_t, r_{t−1}, t > 0, a = a_{t−1}, r_{t−1} if so, d_{t−1}; m)        m = (1/k) Σ_b h_b
///     h_a′    = cell(x_a, h_a)
///     z_a     = tanh(W h_a′ + V m′ + b)                                              m′ = (1/k) Σ_b h_b′
///     logit_a = w · z_a + c,     value = (1/k) Σ_a (w · z_a + c)
///
/// Of images s_t is what `PixelEncoder` makes of them, without the action. A critic's x_a holds the step index too, last of
/// what stands before m.
///
/// Memory: the arms' states side by side, k · H for each state vector of the cell. Parameters: those of the cell's model
/// as it is for one action and one output, by its names, so `head.weight` [1, H] is w and `head.bias` [1] is c; those of
/// the encoder; `arms.weight` [H, H], W; `arms.weight_mean` [H, H], V; and `arms.bias` [H]. W and V start Xavier uniform,
/// b zero. None of them depends on k.
public struct ArmSymmetric<Arm: RecurrentPolicy>: RecurrentPolicy where Arm.Output == Head {
    public let layout: ParameterLayout
    public let encoder: any Encoder
    public let head: ArmHead
    public let stateWidths: [Int]
    public var statesPerVector: Int { arms }
    public var memoryReset: MemoryReset { arm.memoryReset }
    public var isArmSymmetric: Bool { true }
    /// k
    private let arms: Int
    private let arm: Arm

    /// - Parameter makeArm: the model whose cell the arms share.
    public init(_ specification: ModelSpecification, _ makeArm: (ModelSpecification) -> Arm) {
        let (arms, width) = (specification.actions, specification.hidden)
        precondition(
            specification.outputs == arms || specification.outputs == 1,
            "\(specification.outputs) outputs for \(arms) actions: there is one for each, or a value")
        // An arm is a model of one action, its own. What it observes is what all share; its reward is the arm's.
        var single = specification
        single.observation = .vector(width: ArmEncoder.sharedFeatures(specification) + width)
        (single.actions, single.outputs) = (1, 1)
        arm = makeArm(single)
        var layout = arm.layout
        let encoder = ArmEncoder(specification, layout: &layout)
        head = ArmHead(arms: arms, width: width, outputs: specification.outputs, score: arm.head, layout: &layout)
        stateWidths = arm.stateWidths.map { arms * $0 }
        self.arms = arms
        self.encoder = encoder
        self.layout = layout
    }

    public func cell(_ features: Node, state: NodeList, next: NodeList, tape: Tape) {
        let (own, now, then) = (byArm(features), byArm(state), byArm(next))
        let mean = tape.groupMean(now[0], size: arms)  // [B, H]
        let inputs = tape.repeatRows(mean, count: arms, beside: own)  // [B · k, I + H]
        arm.cell(inputs, state: now, next: then, tape: tape)
    }

    /// [B, k · D] as [B · k, D]: the same numbers.
    private func byArm(_ node: Node) -> Node {
        node.reshaped(rows: node.rows * arms, columns: node.columns / arms)
    }

    private func byArm(_ nodes: NodeList) -> NodeList { NodeList(count: nodes.count) { byArm(nodes[$0]) } }
}

/// φ of each arm: what all arms are shown, whether this one was taken, and its reward if it was.
///
/// Columns of an arm: the observation [0 ..< O], the last reward, 1 if there was a step before, 1 if the arm was taken, its
/// reward if it was, d, and with `stepScale` t / stepScale. Of images what the convolutions make of them comes last, and O is 0.
struct ArmEncoder: Encoder {
    /// k times the features of an arm.
    let features: Int
    private let arms: Int
    private let observationWidth: Int
    private let stepScale: Float?
    private let pixels: PixelEncoder?

    /// Features of an arm that do not tell it from the others, without the flag and the step index.
    static func sharedFeatures(_ specification: ModelSpecification) -> Int {
        switch specification.observation {
        case .vector(let width): width + 2
        case .image: specification.hidden + 2
        }
    }

    init(_ specification: ModelSpecification, layout: inout ParameterLayout) {
        arms = specification.actions
        stepScale = specification.stepScale
        switch specification.observation {
        case .vector(let width):
            (observationWidth, pixels) = (width, nil)
        case .image(let height, let width, let channels):
            observationWidth = 0
            pixels = PixelEncoder(
                height: height, width: width, channels: channels, actions: nil, features: specification.hidden,
                stepScale: stepScale, layout: &layout)
        }
        features = arms * (ArmEncoder.sharedFeatures(specification) + (stepScale == nil ? 3 : 4))
    }

    func encode(_ inputs: StepInputs, tape: Tape) -> Node {
        let facts = facts(inputs, tape: tape)  // [rows · k, facts]
        guard let pixels else { return facts.reshaped(rows: inputs.rows, columns: features) }
        let seen = tape.repeatRows(pixels.encode(inputs, tape: tape), count: arms, beside: facts)
        return seen.reshaped(rows: inputs.rows, columns: features)
    }

    /// All but what is seen in images.
    private func facts(_ inputs: StepInputs, tape: Tape) -> Node {
        let node = tape.constant(rows: inputs.rows * arms, columns: observationWidth + (stepScale == nil ? 5 : 6))
        var row = tape.mutableValue(node)
        for index in 0..<inputs.rows {
            let (action, reward) = (Int(inputs.previousActions[index]), inputs.previousRewards[index])
            precondition(action < arms, "action \(action) of \(arms)")
            for arm in 0..<arms {
                row.update(from: inputs.vectors + index * observationWidth, count: observationWidth)
                let columns = row + observationWidth
                columns[0] = reward
                columns[1] = action < 0 ? 0 : 1
                columns[2] = action == arm ? 1 : 0
                columns[3] = action == arm ? reward : 0
                columns[4] = inputs.episodeEnds[index]
                if let stepScale { columns[5] = Float(inputs.stepIndices[index]) / stepScale }
                row += node.columns
            }
        }
        return node
    }
}

/// The output of an arm-symmetric model: a score for each arm, made of its own state and of the mean over arms, by the same
/// map for all; of a critic the mean score.
public struct ArmHead: OutputLayer {
    public let outputs: Int
    private let arms: Int
    private let weight, weightMean, bias: Node
    private let score: Head

    /// Adds `arms.weight` [H, H], `arms.weight_mean` [H, H] and `arms.bias` [H] to a layout.
    ///
    /// - Parameters:
    ///   - arms: k.
    ///   - width: H.
    ///   - outputs: k, or 1 for a value.
    ///   - score: reads an arm's last H features; one output.
    init(arms: Int, width: Int, outputs: Int, score: Head, layout: inout ParameterLayout) {
        (self.arms, self.outputs, self.score) = (arms, outputs, score)
        weight = layout.add("arms.weight", [width, width], .xavierUniform())
        weightMean = layout.add("arms.weight_mean", [width, width], .xavierUniform())
        bias = layout.add("arms.bias", [width], .constant(0))
    }

    /// [rows, k · H] to [rows, outputs]. All arms' states stay on the tape, as `features`, for analyses.
    public func read(_ hidden: Node, tape: Tape) -> Node {
        let states = hidden.reshaped(rows: hidden.rows * arms, columns: hidden.columns / arms)  // [rows · k, H]
        let mean = tape.linear(tape.groupMean(states, size: arms), weight: weightMean)  // [rows, H]
        let sum = tape.linear(states, weight: weight, bias: bias, addend: tape.repeatRows(mean, count: arms))
        let scores = score.read(tape.tanh(sum), tape: tape)  // [rows · k, 1]
        tape.features = hidden
        return outputs == arms
            ? scores.reshaped(rows: hidden.rows, columns: arms) : tape.groupMean(scores, size: arms)
    }
}
