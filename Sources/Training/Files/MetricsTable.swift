import Foundation

/// The table `metrics.csv` of a run: a header of column names, then one row of numbers for each iteration.
///
/// One of the columns is called `iteration`. Numbers are written in the shortest form that reads back as the same
/// `Double`; NaN and the infinities as `nan`, `inf`, `-inf`. A row is handed to the system as soon as it is appended,
/// so a killed process loses none.
///
/// ```swift
/// let table = try MetricsTable(creating: "metrics.csv", columns: ["iteration", "mean_total_reward"])
/// try table.append([0, 5.25])
/// table.close()
/// let (columns, rows) = try MetricsTable.read("metrics.csv")
/// ```
public final class MetricsTable {
    /// Where the table lies.
    public let path: String
    /// The names in the header.
    public let columns: [String]
    private let file: AppendFile

    /// Creates a table without rows.
    ///
    /// Precondition: `columns` are unique, one is `iteration`, and none has a comma, a quotation mark or a line end.
    ///
    /// - Throws: `FileError`, when there is already a file at `path`, or it cannot be written.
    public init(creating path: String, columns: [String]) throws {
        Self.check(columns)
        guard access(path, F_OK) != 0 else {
            throw FileError(
                path: path, problem: "cannot create: it exists already",
                remedy: "resume the run, overwrite it, or choose another directory")
        }
        // Not by appending to a new file: a process that is killed in between would leave a part of the header.
        try AtomicFile.write(Self.line(columns), to: path)
        self.path = path
        self.columns = columns
        file = try AppendFile(path, creating: false)
    }

    /// Opens the table of a run that goes on at `iteration`: rows of that iteration and later ones are dropped, and so
    /// is a last line that was cut short. A run that goes on at iteration 0 may lack the table.
    ///
    /// Precondition: as for `init(creating:columns:)`.
    ///
    /// - Parameter columns: those that are wanted; a table that holds others besides keeps its own.
    /// - Throws: `FileError`, when a column is missing, a row that must stay is damaged, or the file cannot be written.
    ///   The file is unchanged then.
    public init(resuming path: String, columns: [String], atIteration iteration: Int) throws {
        Self.check(columns)
        var columns = columns
        if iteration == 0, access(path, F_OK) != 0 {
            try AtomicFile.write(Self.line(columns), to: path)
        } else {
            let content = try AtomicFile.read(path)
            // A table that has more columns, such as one of an earlier version, keeps them.
            let stored = try Self.header(Self.wholeLines(content), path: path)
            if Set(stored).isSuperset(of: columns) { columns = stored }
            let kept = try Self.truncated(content, columns: columns, before: iteration, path: path)
            if kept != content { try AtomicFile.write(kept, to: path) }
        }
        self.path = path
        self.columns = columns
        file = try AppendFile(path, creating: false)
    }

    /// Appends one row.
    ///
    /// Precondition: `row` has a number for each column, in the order of `columns`.
    ///
    /// - Throws: `FileError`, when the disk is full or the table was closed. Nothing of the row remains then.
    public func append(_ row: [Double]) throws {
        precondition(row.count == columns.count, "a row of \(row.count) numbers for \(columns.count) columns")
        try file.append(Self.line(row.map(Self.text)))
    }

    /// Waits until all rows are on the disk. Needed against a crash of the machine only: before a checkpoint that
    /// counts on them.
    ///
    /// - Throws: `FileError`.
    public func flush() throws {
        try file.flush()
    }

    /// Closes the file; a second call does nothing.
    public func close() {
        file.close()
    }

    /// The content of the table at `path`. A last line without a line end, which a killed process or one that is just
    /// writing may leave, is no row yet.
    ///
    /// Postcondition: each row has as many numbers as there are columns.
    ///
    /// - Throws: `FileError`, when the file cannot be read, has no header, or a line is not a row of numbers.
    public static func read(_ path: String) throws -> (columns: [String], rows: [[Double]]) {
        let lines = wholeLines(try AtomicFile.read(path))
        let columns = try header(lines, path: path)
        let rows = try lines.enumerated().dropFirst().map { index, line in
            try row(line, number: index + 1, columnCount: columns.count, path: path)
        }
        return (columns, rows)
    }

    // MARK: - Text

    /// The shortest text that reads back as `value`; whole numbers without `.0`.
    static func text(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        let isNegativeZero = value == 0 && value.sign == .minus
        // From 2^53 on not every whole number is a Double, and all its digits would pretend so.
        if value.magnitude < 0x1p53, value == value.rounded(), !isNegativeZero { return String(Int64(value)) }
        return "\(value)"
    }

    private static func line(_ cells: [String]) -> Data {
        Data("\(cells.joined(separator: ","))\n".utf8)
    }

    /// All lines that have their line end, without it.
    private static func wholeLines(_ content: Data) -> [Data] {
        var lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        lines.removeLast()  // what follows the last line end: nothing, or a line that was cut short
        return lines
    }

    private static func cells(_ line: Data) -> [String] {
        String(decoding: line, as: UTF8.self).split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    private static func header(_ lines: [Data], path: String) throws -> [String] {
        guard let first = lines.first, !first.isEmpty else {
            throw FileError(
                path: path, problem: "cannot read the table: it has no header line",
                remedy: "the file is no metrics table, or was cut short: choose another run")
        }
        return cells(first)
    }

    private static func row(_ line: Data, number: Int, columnCount: Int, path: String) throws -> [Double] {
        let texts = cells(line)
        let row = texts.compactMap(Double.init)
        guard texts.count == columnCount, row.count == columnCount else {
            throw FileError(
                path: path, problem: "line \(number) is not a row of \(columnCount) numbers",
                remedy: "the file is damaged: mend or delete that line")
        }
        return row
    }

    // MARK: - Resuming

    private static func truncated(
        _ content: Data, columns: [String], before iteration: Int, path: String
    ) throws -> Data {
        let lines = wholeLines(content)
        let stored = try header(lines, path: path)
        if let difference = difference(stored, columns) {
            throw FileError(
                path: path, problem: "cannot resume: \(difference)",
                remedy: "resume with the version and options that began the run, or start a new run")
        }
        let iterationColumn = columns.firstIndex(of: "iteration")!
        var kept = line(columns)
        for (index, text) in lines.enumerated().dropFirst() {
            let texts = cells(text)
            if texts.count > iterationColumn, let number = Double(texts[iterationColumn]), number >= Double(iteration) {
                continue
            }
            // Whoever resumes must hear now that a row of the record is damaged, not when the run is plotted.
            _ = try row(text, number: index + 1, columnCount: columns.count, path: path)
            kept.append(text)
            kept.append(UInt8(ascii: "\n"))
        }
        return kept
    }

    /// What tells the header of the file from the one that is wanted, or nothing.
    private static func difference(_ stored: [String], _ wanted: [String]) -> String? {
        for (index, pair) in zip(stored, wanted).enumerated() where pair.0 != pair.1 {
            return "its column \(index + 1) is \(FileError.quoted(pair.0)), not \(FileError.quoted(pair.1))"
        }
        return stored.count == wanted.count ? nil : "it has \(stored.count) columns, not \(wanted.count)"
    }

    private static func check(_ columns: [String]) {
        precondition(columns.contains("iteration"), "a metrics table needs a column 'iteration'")
        precondition(Set(columns).count == columns.count, "two columns have the same name")
        for column in columns {
            precondition(
                !column.isEmpty && !column.unicodeScalars.contains { ",\"\n\r".unicodeScalars.contains($0) },
                "column '\(column)' cannot be written to a table")
        }
    }
}
