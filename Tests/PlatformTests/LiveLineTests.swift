import Testing

@testable import Platform

@Suite struct LiveLineTests {
    @Test func aLineIsCutByColumns() {
        #expect(LiveLine.cut("return 6.631  kl 0.01", to: 80) == "return 6.631  kl 0.01")
        #expect(LiveLine.cut("return 6.631", to: 6) == "return")
        #expect(LiveLine.cut("return", to: 0) == "")
        // Two columns a character, and no half of one.
        #expect(LiveLine.cut("学習の進み", to: 5) == "学習")
        #expect(LiveLine.cut("学習の進み", to: 10) == "学習の進み")
        // An accent of its own takes no column.
        #expect(LiveLine.cut("e\u{301}te\u{301}", to: 3).unicodeScalars.count == 5)
        #expect(LiveLine.cut("a\nb\u{1B}c", to: 80) == "a b c")
    }

    @Test func aWidthIsAlwaysKnown() { #expect(LiveLine.windowWidth() > 0) }
}
