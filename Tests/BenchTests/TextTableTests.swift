import Foundation
import Testing

@testable import Bench

@Suite struct TextTableTests {
    private func example() -> TextTable {
        var table = TextTable(columns: [
            .init("method", alignment: .left), .init("n=10"), .init("note", alignment: .left),
        ])
        table.append(["RL²", "6.65±0.06", "a|b"])
        table.append(["ε-greedy", "6.6", ""])
        return table
    }

    @Test func plainTextIsAligned() {
        let expected = """
            method         n=10  note
            --------  ---------  ----
            RL²       6.65±0.06  a|b
            ε-greedy        6.6

            """
        #expect(example().plainText() == expected)
    }

    @Test func markdownIsAlignedAndEscaped() {
        let expected = #"""
            | method   |      n=10 | note |
            | -------- | --------: | ---- |
            | RL²      | 6.65±0.06 | a\|b |
            | ε-greedy |       6.6 |      |

            """#
        #expect(example().markdown() == expected)
    }

    @Test func headerAloneIsATable() {
        let table = TextTable(columns: [.init("k"), .init("", alignment: .left)])
        #expect(table.plainText() == "k\n-\n")
        #expect(table.markdown() == "|   k |     |\n| --: | --- |\n")
    }

    @Test func lineBreaksDoNotEndRows() {
        var table = TextTable(columns: [.init("error", alignment: .left)])
        table.append(["one\ntwo\r\nthree"])
        #expect(table.plainText() == "error\n-------------\none two three\n")
        #expect(table.markdown().split(separator: "\n").count == 3)
    }
}
