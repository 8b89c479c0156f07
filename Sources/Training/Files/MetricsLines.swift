import Foundation

/// `metrics.jsonl`: the rows of `metrics.csv` as JSON objects, one a line. What is not a finite number is `null`.
final class MetricsLines {
    private let columns: [String]
    private let file: AppendFile

    /// Writes the rows that the table has so far, and goes on after them: a run that is resumed has the same rows in both.
    ///
    /// - Throws: `FileError`.
    init(_ path: String, rowsOf table: String) throws {
        let (columns, rows) = try MetricsTable.read(table)
        let lines = rows.reduce(into: Data()) { $0 += MetricsLines.line(columns, $1) }
        try AtomicFile.write(lines, to: path)
        self.columns = columns
        file = try AppendFile(path, creating: false)
    }

    /// - Parameter row: a number for each column of the table.
    func append(_ row: [Double]) throws { try file.append(MetricsLines.line(columns, row)) }

    func flush() throws { try file.flush() }

    func close() { file.close() }

    private static func line(_ columns: [String], _ row: [Double]) -> Data {
        let pairs = zip(columns, row).map { column, value in
            "\"\(column)\": \(value.isFinite ? MetricsTable.text(value) : "null")"
        }
        return Data("{\(pairs.joined(separator: ", "))}\n".utf8)
    }
}
