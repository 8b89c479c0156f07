import Autodiff
import Interface
import Kernels

/// Every primitive, in every form that matters to its derivative. A new primitive is a file in
/// Sources/Autodiff/Primitives and a case here.
///
/// No two sizes of a case are equal, so that a confusion of rows with columns cannot hide.
public enum PrimitiveCatalogue {
    public static let cases: [PrimitiveCase] =
        elementwise + products + recurrent + fastWeights + stateSpaces + layers
        + images + attention

    static let elementwise: [PrimitiveCase] = [
        PrimitiveCase("tanh", [.init(5, 7)]) { $0.tanh($1[0]) },
        PrimitiveCase("sigmoid", [.init(5, 7)], reach: 2) { $0.sigmoid($1[0]) },
        PrimitiveCase("relu", [.init(5, 7)], isQuadratic: true, kinkMargin: 0.5) { $0.relu($1[0]) },
        PrimitiveCase("silu", [.init(5, 7)]) { $0.silu($1[0]) },
        PrimitiveCase("softplus", [.init(5, 7)], reach: 2) { $0.softplus($1[0]) },
        PrimitiveCase("exponential", [.init(5, 7)]) { $0.exp($1[0]) },
        PrimitiveCase("decay", [.init(5, 7)]) { $0.decay($1[0]) },
        // Its second derivative jumps at 0.
        PrimitiveCase("elu plus one", [.init(5, 7)], kinkMargin: 0.5) { $0.eluPlusOne($1[0]) },
        PrimitiveCase(
            "scaled columns", [.init(5, 7), .init(1, 7), .init(1, 7)], isQuadratic: true, mayBeConstant: [0]
        ) { $0.scaleColumns($1[0], by: $1[1], bias: $1[2]) },
        PrimitiveCase("scaled columns without a summand", [.init(5, 7), .init(1, 7)], isQuadratic: true) {
            $0.scaleColumns($1[0], by: $1[1])
        },
        PrimitiveCase("moved columns", [.init(5, 7), .init(1, 7)], isQuadratic: true, mayBeConstant: [0]) {
            $0.scaleColumns($1[0], bias: $1[1])
        },
        PrimitiveCase("gate share", [.init(5, 7), .init(5, 7)], reach: 2, mayBeConstant: [0, 1]) {
            $0.gateShare($1[0], $1[1])
        },
        PrimitiveCase("add", [.init(5, 7), .init(5, 7)], isQuadratic: true, mayBeConstant: [0, 1]) {
            $0.add($1[0], $1[1])
        },
        PrimitiveCase("subtract", [.init(5, 7), .init(5, 7)], isQuadratic: true, mayBeConstant: [0, 1]) {
            $0.subtract($1[0], $1[1])
        },
        PrimitiveCase("add to itself", [.init(5, 7)], isQuadratic: true) { $0.add($1[0], $1[0]) },
        PrimitiveCase("multiply", [.init(5, 7), .init(5, 7)], isQuadratic: true, mayBeConstant: [0, 1]) {
            $0.multiply($1[0], $1[1])
        },
        PrimitiveCase("multiply by itself", [.init(5, 7)], isQuadratic: true) { $0.multiply($1[0], $1[0]) },
        PrimitiveCase("copy", [.init(5, 7)], isQuadratic: true, mayBeConstant: [0]) { tape, nodes in
            let output = tape.variable(rows: 5, columns: 7)
            tape.copy(nodes[0].rows(0..<2), into: output.rows(3..<5))
            tape.copy(nodes[0].rows(2..<5), into: output.rows(0..<3))
            return output
        },
        PrimitiveCase("tanh of some rows", [.init(5, 7)]) { $0.tanh($1[0].rows(1..<4)) },
        PrimitiveCase("tanh of another shape", [.init(5, 7)]) { $0.tanh($1[0].reshaped(rows: 7, columns: 5)) },
    ]

    static let products: [PrimitiveCase] = [
        PrimitiveCase(
            "linear", [.init(6, 5), .init(4, 5), .init(1, 4)], isQuadratic: true, mayBeConstant: [0, 1, 2]
        ) { $0.linear($1[0], weight: $1[1], bias: $1[2]) },
        PrimitiveCase("linear without bias", [.init(6, 5), .init(4, 5)], isQuadratic: true, mayBeConstant: [0, 1]) {
            $0.linear($1[0], weight: $1[1])
        },
        PrimitiveCase(
            "linear with an addend", [.init(6, 5), .init(4, 5), .init(1, 4), .init(6, 4)], isQuadratic: true,
            mayBeConstant: [0, 1, 2, 3]
        ) { $0.linear($1[0], weight: $1[1], bias: $1[2], addend: $1[3]) },
        // More rows than a tile, and enough rows and columns for products of our own.
        PrimitiveCase(
            "tall linear", [.init(530, 7), .init(101, 7), .init(1, 101), .init(530, 101)], isQuadratic: true,
            mayBeConstant: [0, 1]
        ) { $0.linear($1[0], weight: $1[1], bias: $1[2], addend: $1[3]) },
        PrimitiveCase(
            "linear with some columns of a weight", [.init(6, 5), .init(4, 9), .init(1, 4)], isQuadratic: true,
            mayBeConstant: [0, 1]
        ) { $0.linear($1[0], weight: $1[1], fromColumn: 3, bias: $1[2]) },
        PrimitiveCase(
            "tall linear with some columns of a weight", [.init(530, 7), .init(101, 12)], isQuadratic: true
        ) { $0.linear($1[0], weight: $1[1], fromColumn: 5) },
        PrimitiveCase("linear into rows", [.init(6, 5), .init(4, 5)], isQuadratic: true) { tape, nodes in
            let output = tape.variable(rows: 8, columns: 4)
            tape.linear(nodes[0], weight: nodes[1], into: output.rows(2..<8))
            tape.linear(nodes[0].rows(1..<3), weight: nodes[1], into: output.rows(0..<2))
            return output
        },
        PrimitiveCase("linear of some rows", [.init(6, 5), .init(4, 5), .init(1, 4)], isQuadratic: true) {
            $0.linear($1[0].rows(2..<5), weight: $1[1], bias: $1[2])
        },
    ]

    static let recurrent: [PrimitiveCase] = [
        PrimitiveCase("gru cell", gruShapes(lanes: 3, inputs: 5, hidden: 4), reach: 0.5, mayBeConstant: [0, 1]) {
            $0.gruCell($1[0], hidden: $1[1], weightX: $1[2], weightH: $1[3], biasX: $1[4], biasH: $1[5])
        },
        // Wider than the widest vector unit, and a rest.
        PrimitiveCase("wide gru cell", gruShapes(lanes: 3, inputs: 5, hidden: 19), reach: 0.3) {
            $0.gruCell($1[0], hidden: $1[1], weightX: $1[2], weightH: $1[3], biasX: $1[4], biasH: $1[5])
        },
        // Lanes end: the second step goes on with the first two of three, and writes behind the first step's rows.
        PrimitiveCase("gru cell into rows", gruShapes(lanes: 3, inputs: 5, hidden: 4), reach: 0.3) { tape, nodes in
            let sequence = tape.variable(rows: 5, columns: 4)
            func step(_ x: Node, _ hidden: Node, _ output: Node) {
                tape.gruCell(
                    x, hidden: hidden, weightX: nodes[2], weightH: nodes[3], biasX: nodes[4], biasH: nodes[5],
                    into: output)
            }
            step(nodes[0], nodes[1], sequence.rows(0..<3))
            step(nodes[0].rows(1..<3), sequence.rows(0..<2), sequence.rows(3..<5))
            return sequence
        },
        gatedMean("gated mean", flags: nil),
        gatedMean("gated mean that forgets", flags: [0, 0, 0, 1, 0, 0, 1, 0, 1]),
        gruSequence("gru sequence", lengths: [4, 3, 3, 1], inputs: 5, hidden: 2, reach: 0.3, mayBeConstant: [0]),
        // Several runs of steps, and products by factors in an order of their own.
        gruSequence(
            "long gru sequence", lengths: [Int](repeating: 3, count: 80) + [Int](repeating: 2, count: 40), inputs: 20,
            hidden: 17, reach: 0.1),
        lstmSequence("lstm sequence", lengths: [4, 3, 3, 1], inputs: 5, hidden: 2, reach: 0.3, mayBeConstant: [0]),
        lstmSequence(
            "long lstm sequence", lengths: [Int](repeating: 3, count: 80) + [Int](repeating: 2, count: 40), inputs: 20,
            hidden: 17, reach: 0.1),
        lstmCell("lstm cell", hidden: 4, reach: 0.5, mayBeConstant: [0, 1, 6]),
        lstmCell("wide lstm cell", hidden: 19, reach: 0.3),
        // Lanes end, and only hidden states are read: the second cell state reaches nobody.
        PrimitiveCase("lstm cell into rows", lstmShapes(lanes: 3, inputs: 5, hidden: 4), reach: 0.3) { tape, nodes in
            let (hidden, cell) = (tape.variable(rows: 5, columns: 4), tape.variable(rows: 5, columns: 4))
            func step(_ x: Node, _ state: (Node, Node), _ rows: Range<Int>) {
                tape.lstmCell(
                    x, hidden: state.0, cell: state.1, weightX: nodes[2], weightH: nodes[3], biasX: nodes[4],
                    biasH: nodes[5], into: hidden.rows(rows), cell.rows(rows))
            }
            step(nodes[0], (nodes[1], nodes[6]), 0..<3)
            step(nodes[0].rows(1..<3), (hidden.rows(0..<2), cell.rows(0..<2)), 3..<5)
            return hidden
        },
        // The second half of some rows is forgotten, and all of the same and of no column.
        PrimitiveCase("reset rows", [.init(5, 7)], isQuadratic: true, mayBeConstant: [0]) { tape, nodes in
            let flags = tape.constant([0, 1, 0, 1, 1], rows: 5, columns: 1)
            return tape.concatenate(
                tape.resetRows(nodes[0], where: flags, from: 3), tape.resetRows(nodes[0], where: flags, from: 0),
                tape.resetRows(nodes[0], where: flags, from: 7))
        },
    ]

    static let layers: [PrimitiveCase] = [
        PrimitiveCase("gelu", [.init(5, 7)]) { $0.gelu($1[0]) },
        PrimitiveCase("softmax", [.init(5, 7)]) { $0.softmax($1[0]) },
        // More than sixteen columns: the loops sum sixteen at a time, and a rest.
        PrimitiveCase("softmax of long rows", [.init(3, 37)]) { $0.softmax($1[0]) },
        PrimitiveCase("layer norm", [.init(5, 7), .init(1, 7), .init(1, 7)], mayBeConstant: [0, 1, 2]) {
            $0.layerNorm($1[0], weight: $1[1], bias: $1[2])
        },
        PrimitiveCase("layer norm of long rows", [.init(3, 37), .init(1, 37), .init(1, 37)]) {
            $0.layerNorm($1[0], weight: $1[1], bias: $1[2], epsilon: 0.5)
        },
        PrimitiveCase(
            "norm and linear", [.init(6, 5), .init(1, 5), .init(1, 5), .init(4, 5), .init(1, 4)]
        ) { $0.normLinear($1[0], scale: $1[1], shift: $1[2], weight: $1[3], bias: $1[4]) },
        PrimitiveCase("norm and linear without bias", [.init(6, 5), .init(1, 5), .init(1, 5), .init(4, 5)]) {
            $0.normLinear($1[0], scale: $1[1], shift: $1[2], weight: $1[3])
        },
        PrimitiveCase("unit rows", [.init(5, 7)], reach: 0.6) { $0.unitRows($1[0], epsilon: 0.5) },
        PrimitiveCase("unit rows of several vectors", [.init(3, 37)]) {
            $0.unitRows($1[0], squaredLength: 3, epsilon: 0.1)
        },
        PrimitiveCase("root mean square norm of groups", [.init(5, 21), .init(1, 7)], reach: 0.6) {
            $0.rootMeanSquareNorm($1[0], width: 7, weight: $1[1], epsilon: 0.1)
        },
        // More rows than a tile, and enough rows and columns for products of our own.
        PrimitiveCase(
            "tall norm and linear", [.init(530, 5), .init(1, 5), .init(1, 5), .init(17, 5), .init(1, 17)], reach: 0.5
        ) { $0.normLinear($1[0], scale: $1[1], shift: $1[2], weight: $1[3], bias: $1[4]) },
        feedForward("feed-forward", rows: 6, width: 5, inner: 7, residual: true),
        feedForward("feed-forward alone", rows: 6, width: 5, inner: 7, residual: false),
        feedForward("tall feed-forward", rows: 530, width: 18, inner: 101, residual: true),
        PrimitiveCase("rotary", [.init(5, 15)], isQuadratic: true, mayBeConstant: [0]) { tape, nodes in
            tape.rotary(nodes[0], columns: 12, angles: tape.rotaryAngles(rows: 5, width: 6) { 3 * $0 })
        },
        PrimitiveCase("concatenate two", [.init(5, 3), .init(5, 4)], isQuadratic: true, mayBeConstant: [0, 1]) {
            $0.concatenate($1[0], $1[1])
        },
        PrimitiveCase(
            "concatenate four", [.init(5, 3), .init(5, 4), .init(5, 1), .init(5, 2)], isQuadratic: true,
            mayBeConstant: [1, 2]
        ) { $0.concatenate($1[0], $1[1], $1[2], $1[3]) },
        PrimitiveCase("group mean", [.init(12, 5)], isQuadratic: true, mayBeConstant: [0]) {
            $0.groupMean($1[0], size: 4)
        },
        PrimitiveCase("group mean of some rows", [.init(12, 5)], isQuadratic: true) {
            $0.groupMean($1[0].rows(3..<9), size: 2)
        },
        PrimitiveCase("repeat rows", [.init(3, 5)], isQuadratic: true, mayBeConstant: [0]) {
            $0.repeatRows($1[0], count: 4)
        },
        PrimitiveCase("repeat rows beside", [.init(3, 5), .init(12, 2)], isQuadratic: true, mayBeConstant: [0, 1]) {
            $0.repeatRows($1[0], count: 4, beside: $1[1])
        },
        lag("lag", steps: 2, forgetful: nil), lag("lag that forgets", steps: 1, forgetful: 2),
        PrimitiveCase("columns", [.init(5, 7)], isQuadratic: true) { $0.columns(2..<6, of: $1[0]) },
        PrimitiveCase("embedding", [.init(4, 3)], isQuadratic: true) {
            $0.embedding([2, -1, 0, 2, 3, -1, 2], count: 7, table: $1[0])
        },
        PrimitiveCase("matrix product", [.init(6, 5), .init(5, 4)], isQuadratic: true, mayBeConstant: [0, 1]) {
            $0.matrixProduct($1[0], $1[1])
        },
        PrimitiveCase("square of a matrix", [.init(4, 4)], isQuadratic: true) { $0.matrixProduct($1[0], $1[0]) },
    ]

    private static func feedForward(
        _ name: String, rows: Int, width: Int, inner: Int, residual: Bool
    ) -> PrimitiveCase {
        PrimitiveCase(
            name,
            [
                .init(rows, width), .init(1, width), .init(1, width), .init(inner, width), .init(1, inner),
                .init(width, inner), .init(1, width),
            ], reach: rows > 6 ? 0.2 : 0.3
        ) {
            $0.feedForward(
                $1[0], scale: $1[1], shift: $1[2], weight1: $1[3], bias1: $1[4], weight2: $1[5], bias2: $1[6],
                residual: residual)
        }
    }

    static let images: [PrimitiveCase] = [
        convolution("convolution", .init(height: 6, width: 5, channels: 2, kernelHeight: 3, kernelWidth: 2)),
        convolution(
            "convolution with stride and padding",
            .init(height: 7, width: 5, channels: 3, kernelHeight: 4, kernelWidth: 3, stride: 2, padding: 2)),
        // The window's last places lie outside of the image altogether.
        convolution(
            "convolution with wide padding",
            .init(height: 2, width: 3, channels: 1, kernelHeight: 2, kernelWidth: 1, stride: 3, padding: 3)),
        // 28 800 floats of patches an image: four images fill a block, two are left.
        convolution(
            "convolution in blocks", images: 6,
            .init(height: 12, width: 12, channels: 8, kernelHeight: 5, kernelWidth: 5, padding: 2)),
        // To sixteen channels and their multiples no patches are made. Tiles of six and of ten places leave a rest.
        convolution(
            "direct convolution", outputs: 16,
            .init(height: 7, width: 9, channels: 8, kernelHeight: 3, kernelWidth: 2, stride: 2)),
        convolution(
            "direct convolution to blocks of channels", images: 2, outputs: 32,
            .init(height: 4, width: 5, channels: 16, kernelHeight: 2, kernelWidth: 3)),
        PrimitiveCase(
            "direct rectified convolution of bytes", [.init(16, 3 * 3 * 2), .init(1, 16)], hasKinks: true
        ) { tape, nodes in
            let shape = ConvolutionShape(height: 5, width: 8, channels: 2, kernelHeight: 3, kernelWidth: 3, stride: 2)
            let bytes = (0..<3 * shape.inputCount).map { UInt8(truncatingIfNeeded: $0 * 37 + 11) }
            return tape.convolution(
                bytes: bytes, count: 3, centred: true, shape, weight: nodes[0], bias: nodes[1], rectified: true)
        },
        PrimitiveCase("convolution of bytes", [.init(4, 3 * 3 * 2), .init(1, 4)], isQuadratic: true) { tape, nodes in
            let shape = ConvolutionShape(
                height: 5, width: 6, channels: 2, kernelHeight: 3, kernelWidth: 3, stride: 2, padding: 1)
            let bytes = (0..<3 * shape.inputCount).map { UInt8(truncatingIfNeeded: $0 * 37 + 11) }
            return tape.convolution(bytes: bytes, count: 3, shape, weight: nodes[0], bias: nodes[1])
        },
        PrimitiveCase(
            "rectified convolution", [.init(3, 5 * 6 * 2), .init(4, 3 * 3 * 2), .init(1, 4)], hasKinks: true,
            mayBeConstant: [0, 1, 2]
        ) { tape, nodes in
            let shape = ConvolutionShape(
                height: 5, width: 6, channels: 2, kernelHeight: 3, kernelWidth: 3, stride: 2, padding: 1)
            return tape.convolution(nodes[0], shape, weight: nodes[1], bias: nodes[2], rectified: true)
        },
        PrimitiveCase(
            "rectified convolution of centred bytes", [.init(4, 3 * 3 * 2), .init(1, 4)], hasKinks: true
        ) { tape, nodes in
            let shape = ConvolutionShape(height: 5, width: 6, channels: 2, kernelHeight: 3, kernelWidth: 3, stride: 2)
            let bytes = (0..<3 * shape.inputCount).map { UInt8(truncatingIfNeeded: $0 * 37 + 11) }
            return tape.convolution(
                bytes: bytes, count: 3, centred: true, shape, weight: nodes[0], bias: nodes[1], rectified: true)
        },
        // Three distinct ones of seven.
        PrimitiveCase("convolution of distinct bytes", [.init(4, 3 * 3 * 2), .init(1, 4)], isQuadratic: true) {
            tape, nodes in
            let shape = ConvolutionShape(height: 5, width: 6, channels: 2, kernelHeight: 3, kernelWidth: 3, stride: 2)
            let images = distinctImages(tape, width: shape.inputCount)
            return tape.spread(tape.convolution(images, shape, weight: nodes[0], bias: nodes[1]), over: images)
        },
        PrimitiveCase("spread over images", [.init(3, 5)], isQuadratic: true, mayBeConstant: [0]) { tape, nodes in
            tape.spread(nodes[0], over: distinctImages(tape, width: 25))
        },
    ]

    private static func distinctImages(_ tape: Tape, width: Int) -> DistinctImages {
        let bytes = [0, 1, 1, 2, 0, 1, 2].flatMap { image in
            (0..<width).map { UInt8(truncatingIfNeeded: ($0 + image) * 37 + 11) }
        }
        return tape.distinctImages(bytes, count: 7, width: width)
    }

    private static func convolution(
        _ name: String, images: Int = 3, outputs: Int = 4, _ shape: ConvolutionShape
    ) -> PrimitiveCase {
        PrimitiveCase(
            name, [.init(images, shape.inputCount), .init(outputs, shape.patchCount), .init(1, outputs)],
            isQuadratic: true, mayBeConstant: [0, 1, 2]
        ) { $0.convolution($1[0], shape, weight: $1[1], bias: $1[2]) }
    }

    static let attention: [PrimitiveCase] = [
        attention("attention", [5, 4, 4, 2], heads: 2, width: 3, constants: [0]),
        attention("attention in a window", [5, 4, 4, 2], heads: 2, width: 3, window: 3),
        attention("attention to itself alone", [4, 1], heads: 1, width: 3, window: 1),
        attention("attention with slopes", [5, 4, 4, 2], heads: 3, width: 2, slopes: [0.5, 0, 0.25]),
        attention("attention with a first token", [5, 4, 4, 2], heads: 2, width: 3, firstToken: true, constants: [0]),
        attention("attention to itself and a first token", [4, 1], heads: 1, width: 3, window: 1, firstToken: true),
        // Longer than a block of queries, so that blocks begin at later keys.
        attention("long attention", [150, 70, 3], heads: 2, width: 3, slopes: [0.01, 0.1]),
        attention("long attention in a window", [150, 70, 3], heads: 2, width: 3, window: 20),
        attention(
            "long attention in a window with a first token and slopes", [150, 70, 3], heads: 2, width: 3, window: 20,
            firstToken: true, slopes: [0.01, 0.1]),
        attention("forgetful attention", [5, 4, 4, 2], heads: 3, width: 2, forgetful: 1, constants: [0]),
        attention(
            "attention that forgets in all heads", [5, 4, 4, 2], heads: 2, width: 3, firstToken: true, forgetful: 0),
        attention(
            "long forgetful attention in a window with a first token and slopes", [150, 70, 3], heads: 2, width: 3,
            window: 20, firstToken: true, slopes: [0.01, 0.1], forgetful: 1, episode: 31),
    ]

    /// - Parameters:
    ///   - forgetful: the first head that sees only the steps of its own episode.
    ///   - episode: steps of an episode; those of the lanes do not end together.
    private static func attention(
        _ name: String, _ lengths: [Int], heads: Int, width: Int, window: Int? = nil, firstToken: Bool = false,
        slopes: [Float]? = nil, forgetful: Int? = nil, episode: Int = 3, constants: [Int] = []
    ) -> PrimitiveCase {
        let rows = PrimitiveCase.Shape(lengths.reduce(firstToken ? 1 : 0, +), 3 * heads * width)
        // A step that sees only itself returns its value.
        return PrimitiveCase(name, [rows], isQuadratic: window == 1 && !firstToken, mayBeConstant: constants) {
            tape, nodes in
            let shape = PackedShape(lengths: lengths)
            let starts = (0..<shape.steps).flatMap { step in
                (0..<shape.lanesAtStep[step]).map { lane in Float(max(0, step - (step + lane) % episode)) }
            }
            return tape.causalAttention(
                nodes[0], shape: tape.register(shape), heads: heads, window: window, firstToken: firstToken,
                slopes: slopes.map { tape.constant($0, rows: 1, columns: heads) },
                starts: forgetful.map { _ in tape.constant(starts, rows: shape.rows, columns: 1) },
                firstForgetful: forgetful ?? 0)
        }
    }

    private static func gruShapes(lanes: Int, inputs: Int, hidden: Int) -> [PrimitiveCase.Shape] {
        [
            .init(lanes, inputs), .init(lanes, hidden), .init(3 * hidden, inputs), .init(3 * hidden, hidden),
            .init(1, 3 * hidden), .init(1, 3 * hidden),
        ]
    }

    /// Over four lanes of 9 rows in all, from a state that is given.
    private static func gatedMean(_ name: String, flags: [Float]?) -> PrimitiveCase {
        let shape = PackedShape(lengths: [4, 3, 1, 1])
        return PrimitiveCase(
            name, [.init(9, 5), .init(9, 5), .init(4, 5)], mayBeConstant: [2]
        ) { tape, nodes in
            tape.gatedMean(
                gate: nodes[0], candidate: nodes[1], before: nodes[2], shape: tape.register(shape),
                flags: flags.map { tape.constant($0, rows: 9, columns: 1) }, firstForgetful: 2)
        }
    }

    static let fastWeights: [PrimitiveCase] = [
        fastWeights("fast weights", reach: 0.5),
        fastWeights("fast weights that decay", decaying: true, reach: 0.5),
        fastWeights("fast weights with a rate, summed", rated: true, summed: true, reach: 0.5),
        fastWeights("gated delta rule", decaying: true, rated: true, correcting: true, reach: 0.5),
        fastWeights("delta rule", correcting: true, reach: 0.5),
        fastWeights(
            "fast weights that forget in one head", decaying: true, rated: true, correcting: true, forgetful: 1,
            reach: 0.5),
        fastWeights("fast weights that forget in all heads", summed: true, forgetful: 0, reach: 0.5),
        // More than the steps of a run, and columns beyond the widest vector unit.
        fastWeights(
            "long fast weights", lengths: [70, 33, 1], keys: 2, values: 19, decaying: true, rated: true, summed: true,
            forgetful: 1, reach: 0.5),
        PrimitiveCase("quotients of heads", [.init(4, 9)], kinkMargin: 1) { $0.headQuotients($1[0], heads: 3) },
        PrimitiveCase("quotients of heads by least numbers", [.init(4, 9)], kinkMargin: 0.5) { tape, nodes in
            let leasts = (0..<12).map { Float($0 % 2 == 0 ? 100 : 0.1) }
            return tape.headQuotients(nodes[0], heads: 3, leasts: tape.constant(leasts, rows: 4, columns: 3))
        },
        causalConvolution("causal convolution", flags: nil, forgetful: 0),
        causalConvolution("causal convolution that forgets", flags: [0, 0, 0, 1, 0, 0, 1, 0, 0, 1], forgetful: 0),
        causalConvolution(
            "causal convolution that forgets in part", flags: [0, 0, 0, 1, 0, 0, 1, 0, 0, 1], forgetful: 1),
    ]

    static let stateSpaces: [PrimitiveCase] = [
        matrixMemory("matrix memory", lengths: [4, 3, 1, 1], forgetful: nil, reach: 0.3),
        matrixMemory("matrix memory that forgets in one head", lengths: [4, 3, 1, 1], forgetful: 1, reach: 0.3),
        matrixMemory("long matrix memory", lengths: [40, 33, 1], forgetful: 0, reach: 0.3),
        // Small keys: sums below their bound.
        PrimitiveCase(
            "matrix memory of small keys", [.init(4, 3), .init(4, 3), .init(4, 5), .init(4, 1), .init(4, 1)]
        ) { tape, nodes in
            tape.matrixMemory(
                query: tape.tanh(nodes[0]), key: tape.tanh(nodes[1]), value: nodes[2], input: tape.tanh(nodes[3]),
                forget: nodes[4], heads: 1, scale: 0.01, shape: tape.register(PackedShape(lengths: [2, 2])))
        },
        complexScan("complex scan", flags: nil),
        complexScan("complex scan that forgets", flags: [0, 0, 0, 1, 0, 0, 1, 0, 1]),
        PrimitiveCase("polar", [.init(1, 7), .init(1, 7)]) { $0.polar(size: $1[0], angle: $1[1]) },
        selectiveScan("selective scan", lengths: [4, 3, 1, 1], width: 3, forgetful: nil),
        selectiveScan("selective scan that forgets", lengths: [4, 3, 1, 1], width: 2, forgetful: 2),
        // More than the steps of a run, and numbers beyond a block.
        selectiveScan("long selective scan", lengths: [40, 33, 1], width: 19, forgetful: 0),
    ]

    private static func complexScan(_ name: String, flags: [Float]?) -> PrimitiveCase {
        let shape = PackedShape(lengths: [4, 3, 1, 1])
        return PrimitiveCase(name, [.init(9, 6), .init(1, 6)], reach: 0.5) { tape, nodes in
            tape.complexScan(
                nodes[0], factor: nodes[1], shape: tape.register(shape),
                flags: flags.map { tape.constant($0, rows: 9, columns: 1) }, firstForgetful: 1)
        }
    }

    /// Two heads over packed trials; flags are where the row's number is a multiple of 5.
    private static func matrixMemory(_ name: String, lengths: [Int], forgetful: Int?, reach: Float) -> PrimitiveCase {
        let shape = PackedShape(lengths: lengths)
        let (rows, heads, keys, values) = (shape.rows, 2, 3, 5)
        return PrimitiveCase(
            name,
            [
                .init(rows, heads * keys), .init(rows, heads * keys), .init(rows, heads * values), .init(rows, heads),
                .init(rows, heads),
            ], reach: reach
        ) { tape, nodes in
            let flags = forgetful.map { _ in
                tape.constant((0..<rows).map { $0 % 5 == 0 ? 1 : 0 }, rows: rows, columns: 1)
            }
            // Keys and queries of one sign: the sum is larger than its bound, and no kink is near.
            return tape.matrixMemory(
                query: tape.exp(nodes[0]), key: tape.exp(nodes[1]), value: nodes[2], input: tape.exp(nodes[3]),
                forget: nodes[4], heads: heads, shape: tape.register(shape), flags: flags,
                firstForgetful: forgetful ?? 0)
        }
    }

    /// Five channels over packed trials; flags are where the row's number is a multiple of 5.
    private static func selectiveScan(
        _ name: String, lengths: [Int], width: Int, forgetful: Int?
    ) -> PrimitiveCase {
        let shape = PackedShape(lengths: lengths)
        let (rows, channels) = (shape.rows, 5)
        return PrimitiveCase(
            name,
            [
                .init(rows, channels), .init(rows, channels), .init(channels, width), .init(rows, width),
                .init(rows, width), .init(1, channels),
            ], reach: 0.5
        ) { tape, nodes in
            let flags = forgetful.map { _ in
                tape.constant((0..<rows).map { $0 % 5 == 0 ? 1 : 0 }, rows: rows, columns: 1)
            }
            return tape.selectiveScan(
                nodes[0], time: tape.softplus(nodes[1]), rates: tape.exp(nodes[2]), take: nodes[3], read: nodes[4],
                skip: nodes[5], shape: tape.register(shape), flags: flags, firstForgetful: forgetful ?? 0)
        }
    }

    /// Two heads over packed trials; flags are where the row's number is a multiple of 5.
    private static func fastWeights(
        _ name: String, lengths: [Int] = [4, 3, 1, 1], keys: Int = 3, values: Int = 5, decaying: Bool = false,
        rated: Bool = false, correcting: Bool = false, summed: Bool = false, forgetful: Int? = nil, reach: Float
    ) -> PrimitiveCase {
        let shape = PackedShape(lengths: lengths)
        let rows = shape.rows
        let heads = 2
        var shapes: [PrimitiveCase.Shape] = [
            .init(rows, heads * keys), .init(rows, heads * keys), .init(rows, heads * values),
        ]
        if decaying { shapes.append(.init(rows, heads)) }
        if rated { shapes.append(.init(rows, heads)) }
        return PrimitiveCase(name, shapes, reach: reach) { tape, nodes in
            // In 0 … 1, as in use: else states grow over the steps.
            let decay = decaying ? tape.sigmoid(nodes[3]) : nil
            let rate = rated ? tape.sigmoid(nodes[nodes.count - 1]) : nil
            // Shorter than 1 by the delta rule, for which longer keys are unstable.
            let key = correcting ? tape.tanh(nodes[1]) : nodes[1]
            let flags = forgetful.map { _ in
                tape.constant((0..<rows).map { $0 % 5 == 0 ? 1 : 0 }, rows: rows, columns: 1)
            }
            return tape.fastWeights(
                query: nodes[0], key: key, value: nodes[2], decay: decay, rate: rate, heads: heads,
                correcting: correcting, summed: summed, scale: 0.7, shape: tape.register(shape), flags: flags,
                firstForgetful: forgetful ?? 0)
        }
    }

    /// Over four lanes of 10 rows in all; forgetful ones have episodes of two steps.
    private static func lag(_ name: String, steps: Int, forgetful: Int?) -> PrimitiveCase {
        let shape = PackedShape(lengths: [5, 3, 1, 1])
        return PrimitiveCase(name, [.init(10, 6)], isQuadratic: true, mayBeConstant: [0]) { tape, nodes in
            let starts = (0..<shape.steps).flatMap { step in
                (0..<shape.lanesAtStep[step]).map { _ in Float(step / 2 * 2) }
            }
            return tape.lag(
                nodes[0], steps: steps, shape: tape.register(shape),
                starts: forgetful.map { _ in tape.constant(starts, rows: 10, columns: 1) },
                firstForgetful: forgetful ?? 0)
        }
    }

    /// Over four lanes of 10 rows in all: two blocks of three columns, three steps back.
    private static func causalConvolution(_ name: String, flags: [Float]?, forgetful: Int) -> PrimitiveCase {
        let shape = PackedShape(lengths: [5, 3, 1, 1])
        return PrimitiveCase(
            name, [.init(10, 6), .init(6, 3), .init(1, 6)], isQuadratic: true, mayBeConstant: [0]
        ) { tape, nodes in
            tape.causalConvolution(
                nodes[0], weight: nodes[1], bias: nodes[2], shape: tape.register(shape),
                flags: flags.map { tape.constant($0, rows: 10, columns: 1) }, blocks: 2, firstForgetful: forgetful)
        }
    }

    private static func gruSequence(
        _ name: String, lengths: [Int], inputs: Int, hidden: Int, reach: Float, mayBeConstant: [Int] = []
    ) -> PrimitiveCase {
        let shape = PackedShape(lengths: lengths)
        return PrimitiveCase(
            name, sequenceShapes(rows: shape.rows, inputs: inputs, hidden: hidden, gates: 3), reach: reach,
            mayBeConstant: mayBeConstant
        ) {
            $0.gruSequence($1[0], shape: shape, weightX: $1[1], weightH: $1[2], biasX: $1[3], biasH: $1[4])
        }
    }

    /// Both sequences of states that an LSTM gives, side by side.
    private static func lstmSequence(
        _ name: String, lengths: [Int], inputs: Int, hidden: Int, reach: Float, mayBeConstant: [Int] = []
    ) -> PrimitiveCase {
        let shape = PackedShape(lengths: lengths)
        return PrimitiveCase(
            name, sequenceShapes(rows: shape.rows, inputs: inputs, hidden: hidden, gates: 4), reach: reach,
            mayBeConstant: mayBeConstant
        ) {
            let states = $0.lstmSequence(
                $1[0], shape: shape, weightX: $1[1], weightH: $1[2], biasX: $1[3], biasH: $1[4])
            return $0.concatenate(states.hidden, states.cell)
        }
    }

    private static func sequenceShapes(rows: Int, inputs: Int, hidden: Int, gates: Int) -> [PrimitiveCase.Shape] {
        [
            .init(rows, inputs), .init(gates * hidden, inputs), .init(gates * hidden, hidden),
            .init(1, gates * hidden), .init(1, gates * hidden),
        ]
    }

    /// Both states that an LSTM step gives, side by side.
    private static func lstmCell(
        _ name: String, hidden width: Int, reach: Float, mayBeConstant: [Int] = []
    ) -> PrimitiveCase {
        let shapes = lstmShapes(lanes: 3, inputs: 5, hidden: width)
        return PrimitiveCase(name, shapes, reach: reach, mayBeConstant: mayBeConstant) { tape, nodes in
            let (hidden, cell) = (tape.variable(rows: 3, columns: width), tape.variable(rows: 3, columns: width))
            tape.lstmCell(
                nodes[0], hidden: nodes[1], cell: nodes[6], weightX: nodes[2], weightH: nodes[3], biasX: nodes[4],
                biasH: nodes[5], into: hidden, cell)
            return tape.concatenate(hidden, cell)
        }
    }

    private static func lstmShapes(lanes: Int, inputs: Int, hidden: Int) -> [PrimitiveCase.Shape] {
        [
            .init(lanes, inputs), .init(lanes, hidden), .init(4 * hidden, inputs), .init(4 * hidden, hidden),
            .init(1, 4 * hidden), .init(1, 4 * hidden), .init(lanes, hidden),
        ]
    }
}
