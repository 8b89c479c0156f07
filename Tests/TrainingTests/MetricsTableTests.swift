import Foundation
import Testing

@testable import Training

@Suite struct MetricsTableTests {
    private let columns = ["iteration", "reward"]

    private func text(_ path: String) throws -> String {
        String(decoding: try AtomicFile.read(path), as: UTF8.self)
    }

    @Test func writesRowsAtOnceAndReadsThem() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/metrics.csv"
            let table = try MetricsTable(creating: path, columns: columns)
            #expect(try MetricsTable.read(path).rows == [])
            try table.append([0, 0.1])
            #expect(try text(path) == "iteration,reward\n0,0.1\n")
            try table.append([1, -.infinity])
            try table.flush()
            let (names, rows) = try MetricsTable.read(path)
            #expect(names == columns)
            #expect(rows == [[0, 0.1], [1, -.infinity]])
            table.close()
            table.close()
            _ = fileError(about: path) { try table.append([2, 0]) }
        }
    }

    @Test func numbersReadBackAsTheSameDouble() {
        var numbers: [Double] = [
            0, -0.0, 1, -17, 0.1, 1 / 3, .leastNonzeroMagnitude, 1e-5, .greatestFiniteMagnitude, .pi, 0x1p53,
            0x1p53 - 1, -0x1p63,
            1e300, 123_456.789, .infinity, -.infinity,
        ]
        for index in 0..<2_000 {
            let bits = UInt64(index) &* 0x9E37_79B9_7F4A_7C15 ^ 0x1234_5678_9ABC_DEF0
            numbers.append(Double(bitPattern: bits))
        }
        for number in numbers where !number.isNaN {
            #expect(Double(MetricsTable.text(number))?.bitPattern == number.bitPattern)
        }
        #expect(Double(MetricsTable.text(.nan))?.isNaN == true)
        #expect(
            [.nan, .infinity, -.infinity, 12, -0.0, 0.1].map(MetricsTable.text) == [
                "nan", "inf", "-inf", "12", "-0.0", "0.1",
            ])
    }

    @Test func resumingDropsLaterAndTornRows() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/metrics.csv"
            let complete = "iteration,reward\n0,1\n1,0.25\n2,nan\n3,3\n"
            for torn in ["", "4", "4,", "4,1", "\u{0}"] {
                try AtomicFile.write(Data((complete + torn).utf8), to: path)
                #expect(try MetricsTable.read(path).rows.count == 4)
                let table = try MetricsTable(resuming: path, columns: columns, atIteration: 2)
                #expect(try text(path) == "iteration,reward\n0,1\n1,0.25\n")
                try table.append([2, 9])
                #expect(try text(path) == "iteration,reward\n0,1\n1,0.25\n2,9\n")
            }
            _ = try MetricsTable(resuming: path, columns: columns, atIteration: 100)
            #expect(try MetricsTable.read(path).rows.count == 3)
            _ = try MetricsTable(resuming: path, columns: columns, atIteration: 0)
            #expect(try text(path) == "iteration,reward\n")
        }
    }

    /// The run was killed before its table existed.
    @Test func resumingAtTheStartCreatesTheTable() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/metrics.csv"
            _ = fileError(about: path) {
                _ = try MetricsTable(resuming: path, columns: columns, atIteration: 1)
            }
            _ = try MetricsTable(resuming: path, columns: columns, atIteration: 0)
            #expect(try text(path) == "iteration,reward\n")
        }
    }

    @Test func refusesOtherColumns() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/metrics.csv"
            let content = "iteration,loss\n0,1\n"
            try AtomicFile.write(Data(content.utf8), to: path)
            let error = fileError(about: path) {
                _ = try MetricsTable(resuming: path, columns: columns, atIteration: 1)
            }
            #expect(error?.problem == "cannot resume: its column 2 is 'loss', not 'reward'")
            let second = fileError(about: path) {
                _ = try MetricsTable(resuming: path, columns: ["iteration", "loss", "kl"], atIteration: 1)
            }
            #expect(second?.problem == "cannot resume: it has 2 columns, not 3")
            _ = fileError(about: path) { _ = try MetricsTable(creating: path, columns: columns) }
            #expect(try text(path) == content)
        }
    }

    @Test func refusesWhatIsNoTable() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/metrics.csv"
            for content in ["", "iteration,reward", "\n0,1\n"] {
                try AtomicFile.write(Data(content.utf8), to: path)
                _ = fileError(about: path) { _ = try MetricsTable.read(path) }
            }
            for row in ["0", "0,1,2", "0,", "0,x", "", "0,1\r", "0, 1"] {
                try AtomicFile.write(Data("iteration,reward\n\(row)\n9,1\n".utf8), to: path)
                let error = fileError(about: path) { _ = try MetricsTable.read(path) }
                #expect(error?.problem == "line 2 is not a row of 2 numbers")
                _ = fileError(about: path) {
                    _ = try MetricsTable(resuming: path, columns: columns, atIteration: 5)
                }
            }
        }
    }
}
