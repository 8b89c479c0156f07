import Foundation
import Interface
import Testing

@Suite struct OptionTests {
    private enum Shade: String, CaseIterable { case light, dark }

    private let whole = Option("arms", 2...1000, default: 5, help: "Arms")
    private let real = Option("discount", 0...1.0, default: 0.99, help: "Discount")
    private let word = Option("shade", Shade.self, default: .dark, help: "Shade")
    private let text = Option("teacher", text: "oracle", help: "Teacher")

    private func refusal(_ option: Option, _ text: String) -> String {
        let error = #expect(throws: UserError.self) { try read(text, option) }
        let message = error?.description ?? ""
        #expect(!message.contains { $0.isNewline }, "not one line: \(message)")
        return message
    }

    private func read(_ text: String, _ option: Option) throws { _ = try option.value(text, label: "--\(option.name)") }

    @Test func wholeNumbersAreReadFromDecimalDigits() throws {
        for (spelled, number) in [("2", 2), ("1000", 1000), ("+7", 7), ("31", 31)] {
            #expect(try whole.value(spelled, label: "--arms") == .integer(number))
        }
        let any = Option("shift", Int.min...Int.max, default: 0, help: "Shift")
        for number in [0, -1, Int.min, Int.max] {
            #expect(try any.value("\(number)", label: "--shift") == .integer(number))
        }
        #expect(try any.value("-0", label: "--shift") == 0)
    }

    /// What is a number to one reader of YAML or C and another number, or none, to the next is a number to nobody here.
    @Test(
        arguments: [
            "", " ", "007", "-07", "00", "1:30", "0x10", "0b11", "0o17", "1_000", "1e3", "5.0", " 5", "5 ", "five",
            "--5",
            "٣", "５", "99999999999999999999", "nan", "true", "5\n",
        ])
    func otherSpellingsOfWholeNumbersAreRefused(_ spelled: String) {
        #expect(OptionValue.integer(spelled) == nil)
        #expect(refusal(whole, spelled).hasSuffix("choose a whole number in 2 … 1000"))
    }

    @Test(arguments: [
        ("0.25", 0.25), ("-0.5", -0.5), ("1e-3", 1e-3), ("1E-3", 1e-3), ("+2.5e+2", 250), (".5", 0.5), ("0.0", 0),
        ("0e+0", 0), ("3", 3),
        ("1e300", 1e300), ("9007199254740993", 0x1p53),
    ])
    func realNumbersAreReadFromDecimalDigits(_ spelled: String, _ number: Double) throws {
        let wide = Option("x", -1e308...1e308, default: 0.0, help: "x")
        #expect(try wide.value(spelled, label: "--x") == .real(number))
    }

    @Test(
        arguments: [
            "", "nan", "NaN", "-nan", "inf", "infinity", "-inf", "1e999", "0x1p-3", "0x1", "010.5", "-01", "1:30",
            "1_0.5",
            "0,5", ".", "e5", "1e", "half", " 0.5", "0.5 ", "00.5", "0_0", "٠.٥",
        ])
    func otherSpellingsOfRealNumbersAreRefused(_ spelled: String) {
        #expect(OptionValue.number(spelled) == nil)
        #expect(refusal(real, spelled).hasSuffix("choose a number in 0 … 1"))
    }

    /// A whole number is a real one too, and is kept as one: 1 and 1.0 are the same setting. The other way is refused.
    @Test func aWholeNumberIsARealOne() throws {
        #expect(try real.value("1", label: "--discount") == .real(1))
        #expect(real.accepted(1) == .real(1))
        #expect(try real.check(0, label: "--discount") == .real(0))
        #expect(whole.accepted(5.0) == nil)
    }

    @Test func rangesHoldTheirEnds() throws {
        for (option, good, bad) in [
            (whole, ["2", "1000"], ["1", "1001", "-5", "0"]), (real, ["0", "1", "0.5"], ["-0.001", "1.001", "2"]),
        ] {
            for spelled in good { _ = try option.value(spelled, label: "x") }
            for spelled in bad {
                #expect(refusal(option, spelled).hasPrefix("--\(option.name) is \(spelled): choose a"))
            }
        }
        #expect(refusal(whole, "1") == "--arms is 1: choose a whole number in 2 … 1000")
        #expect(refusal(whole, "") == "--arms is empty: choose a whole number in 2 … 1000")
        #expect(real.accepted(.real(.nan)) == nil && real.accepted(.real(.infinity)) == nil)
    }

    @Test func wordsAreOneOfSome() throws {
        #expect(try word.value("light", label: "--shade") == "light")
        #expect(word.defaultValue == "dark" && word.range == "light, dark")
        #expect(refusal(word, "Light") == "--shade is Light: choose one of light, dark")
        #expect(word.accepted(1) == nil && refusal(word, "1").contains("light, dark"))
    }

    /// A name may look like a number: it is a text still.
    @Test func textsAreAnythingOnOneLine() throws {
        for spelled in ["gittins", "7", "0.50", "ε-greedy 0.1", ""] {
            #expect(try text.value(spelled, label: "--teacher") == .word(spelled))
        }
        let error = #expect(throws: UserError.self) { try text.value("a\nb", label: "--teacher") }
        #expect(error?.description.hasSuffix("write it on one line") == true)
    }

    @Test func checkingSaysWhatIsWrong() throws {
        #expect(try whole.check(7, label: "--arms") == 7)
        let error = #expect(throws: UserError.self) { try whole.check(7.5, label: "--arms") }
        #expect(error == UserError("--arms is 7.5: choose a whole number in 2 … 1000"))
        #expect(throws: UserError.self) { try real.check(.real(.nan), label: "--discount") }
        #expect(throws: UserError.self) { try word.check("grey", label: "--shade") }
    }

    @Test func keysHaveUnderscoresForHyphens() {
        let option = Option("gae-lambda", 0...1.0, default: 0.95, help: "λ")
        #expect(option.key == "gae_lambda" && Option.name(ofKey: option.key) == "gae-lambda")
        #expect(option.range == "0 … 1")
        #expect(Option("rate", 1e-8...1, default: 0.001, help: "Rate").range == "1e-8 … 1")
    }
}

@Suite struct DecimalTests {
    @Test(arguments: [
        (0, "0"), (1, "1"), (-17, "-17"), (0.2, "0.2"), (256, "256"), (0.00001, "0.00001"), (0.000001, "0.000001"),
        (1.25e-5, "0.0000125"), (-2.5e-5, "-0.000025"), (1e-7, "1e-7"), (1e-9, "1e-9"), (1.5e-9, "1.5e-9"),
        (0.0005, "0.0005"),
        (1e15, "1000000000000000"), (1e22, "1e22"), (1.5e300, "1.5e300"), (0.1 + 0.2, "0.30000000000000004"),
        (0.987654321012345, "0.987654321012345"),
    ])
    func numbersAreWrittenAsPeopleWriteThem(_ number: Double, _ text: String) {
        #expect(decimal(number) == text)
        #expect("\(OptionValue.real(number))" == text)
    }

    /// The text gives the number back to the last bit, read by Swift and as a value of an option.
    @Test func textsReadBackAsTheSameNumber() throws {
        var numbers: [Double] = [
            .leastNonzeroMagnitude, .greatestFiniteMagnitude, .pi, 1 / 3, 0x1p53, 0x1p63, 1e16, 123_456_789.125,
        ]
        for index in 1...5000 {
            let bits = UInt64(index) &* 0x9E37_79B9_7F4A_7C15
            let number = Double(bitPattern: bits)
            if number.isFinite { numbers.append(number) }
            // The sizes that settings have.
            numbers.append(Double(bits % 1_000_000_007) * 1e-13)
        }
        for number in numbers + numbers.map({ -$0 }) {
            let text = decimal(number)
            #expect(Double(text)?.bitPattern == number.bitPattern, "\(text)")
            switch OptionValue.number(text) {
            case .real(let read)?: #expect(read.bitPattern == number.bitPattern, "\(text)")
            case .integer(let read)?: #expect(Double(read) == number, "\(text)")
            default: Issue.record("\(text) is no number")
            }
        }
    }
}

@Suite struct OptionValueTests {
    @Test func jsonKeepsTheKindOfAValue() throws {
        let values: [OptionValue] = [3, -1, 0.25, 1e-9, "gru", ""]
        let data = try JSONEncoder().encode(values)
        #expect(try JSONDecoder().decode([OptionValue].self, from: data) == values)
    }
}
