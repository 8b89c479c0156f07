/// A small table of strings that prints as aligned plain text or as Markdown. Cells are numbers and names that the
/// caller has formatted; the table only lines them up.
public struct TextTable: Equatable, Sendable {
    /// The side of its column at which a cell stands.
    public enum Alignment: Equatable, Sendable {
        /// For names.
        case left
        /// For numbers.
        case right
    }

    /// The header and the alignment of a column.
    public struct Column: Equatable, Sendable {
        /// Header of the column.
        public var title: String
        /// Alignment of the column, header included.
        public var alignment: Alignment

        /// A column; right-aligned unless told, because most hold numbers.
        public init(_ title: String, alignment: Alignment = .right) {
            self.title = title
            self.alignment = alignment
        }
    }

    /// The columns, from the left.
    public let columns: [Column]
    /// The rows from the top; shape [rows][columns].
    public private(set) var rows: [[String]] = []

    /// A table without rows.
    ///
    /// - Precondition: there is at least one column.
    public init(columns: [Column]) {
        precondition(!columns.isEmpty, "a table needs a column")
        self.columns = columns
    }

    /// Adds a row below the others.
    ///
    /// - Precondition: `row` has one cell a column.
    public mutating func append(_ row: [String]) {
        precondition(row.count == columns.count, "a row of \(row.count) cells in a table of \(columns.count) columns")
        rows.append(row)
    }

    /// Header, rule and rows, columns two spaces apart, no spaces at the ends of lines; ends with a line break.
    public func plainText() -> String {
        let cells = ([columns.map(\.title)] + rows).map { $0.map(Self.singleLine) }
        let widths = Self.widths(of: cells)
        var lines = cells.map { padded($0, to: widths) }
        lines.insert(widths.map { String(repeating: "-", count: $0) }, at: 1)
        return lines.map { line in
            let text = line.joined(separator: "  ")
            return text.reversed().drop { $0 == " " }.reversed() + "\n"
        }.joined()
    }

    /// The table in GitHub's Markdown, aligned in the source as well; vertical bars in cells are escaped. Ends with
    /// a line break.
    public func markdown() -> String {
        let cells = ([columns.map(\.title)] + rows).map { $0.map { Self.escaped(Self.singleLine($0)) } }
        // A delimiter cell has at least a dash and the colon.
        let widths = Self.widths(of: cells).map { max($0, 3) }
        var lines = cells.map { "| " + padded($0, to: widths).joined(separator: " | ") + " |" }
        let delimiters = zip(columns, widths).map { column, width in
            column.alignment == .left
                ? String(repeating: "-", count: width) : String(repeating: "-", count: width - 1) + ":"
        }
        lines.insert("| " + delimiters.joined(separator: " | ") + " |", at: 1)
        return lines.joined(separator: "\n") + "\n"
    }

    /// Largest number of characters in each column; shape [columns].
    private static func widths(of cells: [[String]]) -> [Int] {
        cells.dropFirst().reduce(cells[0].map(\.count)) { widths, row in zip(widths, row).map { max($0, $1.count) } }
    }

    /// The cells of `row` filled up to `widths` with spaces.
    private func padded(_ row: [String], to widths: [Int]) -> [String] {
        zip(zip(row, widths), columns).map { cell, column in
            let padding = String(repeating: " ", count: cell.1 - cell.0.count)
            return column.alignment == .left ? cell.0 + padding : padding + cell.0
        }
    }

    /// `cell` on one line, since a line break would end its row.
    private static func singleLine(_ cell: String) -> String {
        String(cell.map { $0.isNewline ? " " : $0 })
    }

    /// `cell` with its vertical bars escaped, since a bare one would end the cell.
    private static func escaped(_ cell: String) -> String {
        cell.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
}
