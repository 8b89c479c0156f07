import Autodiff
import Conformance
import Interface
import Kernels
import TestSupport
import Testing

/// Values and derivatives against PyTorch in float64; `golden/make_goldens.py` made the numbers.
///
/// Tolerances follow from the longest sum on the way to a number, by `roundingTolerance`.
@Suite struct GoldenTests {
    @Test func linear() throws {
        let golden = try Golden("linear")
        let node = golden.nodes
        let errors = golden.errors { $0.linear(node[0], weight: node[1], bias: node[2]) }
        #expect(errors.largest < roundingTolerance(depth: 5), "\(errors)")
    }

    @Test func gelu() throws {
        let golden = try Golden("gelu")
        let node = golden.nodes
        let errors = golden.errors { $0.gelu(node[0]) }
        #expect(errors.largest < roundingTolerance(depth: 10), "\(errors)")
    }

    @Test func layerNorm() throws {
        let golden = try Golden("layer_norm")
        let node = golden.nodes
        let errors = golden.errors { $0.layerNorm(node[0], weight: node[1], bias: node[2]) }
        #expect(errors.largest < roundingTolerance(depth: 3 * 7), "\(errors)")
    }

    @Test func convolution() throws {
        let golden = try Golden("convolution")
        let node = golden.nodes
        let shape = ConvolutionShape(
            height: 6, width: 5, channels: 3, kernelHeight: 3, kernelWidth: 2, stride: 2, padding: 1)
        let errors = golden.errors { $0.convolution(node[0], shape, weight: node[1], bias: node[2]) }
        // A weight meets 2 · 3 · 3 places, a place 18 weights.
        #expect(errors.largest < roundingTolerance(depth: 18), "\(errors)")
    }

    @Test func rotary() throws {
        let golden = try Golden("rotary")
        let node = golden.nodes
        let errors = golden.errors { tape in
            let positions = [0, 1, 1, 2, 7, 40]
            return tape.rotary(
                node[0], columns: 12, angles: tape.rotaryAngles(rows: 6, width: 6) { positions[$0] })
        }
        #expect(errors.largest < roundingTolerance(depth: 3), "\(errors)")
    }

    @Test(arguments: [("attention", nil, nil), ("attention_window", 3, [0.5, 0.0625])] as [(String, Int?, [Float]?)])
    func attention(_ name: String, _ window: Int?, _ slopes: [Float]?) throws {
        let golden = try Golden(name)
        let node = golden.nodes
        let errors = golden.errors { tape in
            tape.causalAttention(
                tape.concatenate(node[0], node[1], node[2]), shape: tape.register(PackedShape(lengths: [5, 4, 2])),
                heads: 2, window: window, slopes: slopes.map { tape.constant($0, rows: 1, columns: 2) })
        }
        // Two products over 3 and 5 numbers and a softmax over 5.
        #expect(errors.largest < roundingTolerance(depth: 3 * 5), "\(errors)")
    }

    /// `torch.nn.GRU` and `torch.nn.Linear` over T = 4, B = 3, I = 5, H = 6, A = 2.
    @Test func gru() throws {
        let golden = try Golden("gru")
        let node = golden.nodes
        let (steps, lanes, inputs, hidden) = (4, 3, 5, 6)
        let errors = golden.errors { tape in
            let x = node[0].reshaped(rows: steps * lanes, columns: inputs)
            let sequence = tape.variable(rows: steps * lanes, columns: hidden)
            var state = tape.zeros(rows: lanes, columns: hidden)
            for step in 0..<steps {
                let rows = step * lanes..<(step + 1) * lanes
                state = tape.gruCell(
                    x.rows(rows), hidden: state, weightX: node[1], weightH: node[2], biasX: node[3], biasH: node[4],
                    into: sequence.rows(rows))
            }
            return tape.linear(sequence, weight: node[5], bias: node[6])
        }
        // Each of four steps sums 11 numbers.
        #expect(errors.largest < roundingTolerance(depth: 4 * 11), "\(errors)")
    }

    /// `torch.nn.LSTM` and `torch.nn.Linear` over T = 4, B = 3, I = 5, H = 6, A = 2.
    @Test func lstm() throws {
        let golden = try Golden("lstm")
        let node = golden.nodes
        let (steps, lanes, inputs, hidden) = (4, 3, 5, 6)
        let errors = golden.errors { tape in
            let x = node[0].reshaped(rows: steps * lanes, columns: inputs)
            let sequence = tape.variable(rows: steps * lanes, columns: hidden)
            let cells = tape.variable(rows: steps * lanes, columns: hidden)
            var state = (tape.zeros(rows: lanes, columns: hidden), tape.zeros(rows: lanes, columns: hidden))
            for step in 0..<steps {
                let rows = step * lanes..<(step + 1) * lanes
                let next = (sequence.rows(rows), cells.rows(rows))
                tape.lstmCell(
                    x.rows(rows), hidden: state.0, cell: state.1, weightX: node[1], weightH: node[2], biasX: node[3],
                    biasH: node[4], into: next.0, next.1)
                state = next
            }
            return tape.linear(sequence, weight: node[5], bias: node[6])
        }
        // Each of four steps sums 11 numbers.
        #expect(errors.largest < roundingTolerance(depth: 4 * 11), "\(errors)")
    }
}
