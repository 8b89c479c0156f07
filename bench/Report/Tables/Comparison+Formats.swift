import Foundation

/// The tables of a comparison in the formats in which they are passed on. All hold the same texts.
extension Comparison {
    public var markdown: String {
        tables.map { "### \($0.title)\n\n\($0.table.markdown())" }.joined(separator: "\n")
    }

    public var plainText: String { tables.map { "\($0.title)\n\n\($0.table.plainText())" }.joined(separator: "\n") }

    /// Every table as comma-separated values (RFC 4180), each after a line with its title.
    public var commaSeparated: String {
        func field(_ text: String) -> String {
            text.contains { ",\"\n".contains($0) }
                ? "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : text
        }
        return tables.map { title, table in
            ([[title], table.columns.map(\.title)] + table.rows)
                .map { $0.map(field).joined(separator: ",") + "\n" }.joined()
        }.joined(separator: "\n")
    }

    /// One JSON object, `{"tables": [{"title", "columns": […], "rows": [[…]]}]}`, with sorted keys and a last line break.
    public var json: String {
        struct Page: Encodable { let tables: [Entry] }
        struct Entry: Encodable {
            let title: String
            let columns: [String]
            let rows: [[String]]
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let page = Page(
            tables: tables.map { Entry(title: $0.title, columns: $0.table.columns.map(\.title), rows: $0.table.rows) })
        // Texts can always be encoded.
        return String(decoding: try! encoder.encode(page), as: UTF8.self) + "\n"
    }
}
