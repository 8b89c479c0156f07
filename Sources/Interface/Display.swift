import Foundation

/// Numbers as people read them in tables, lines of progress and errors. What is not known, or not finite, is a dash.
public enum Display {
    /// In a fixed number of decimals: "6.631".
    public static func fixed(_ value: Double?, _ digits: Int = 3) -> String {
        guard let value, value.isFinite else { return "–" }
        return String(format: "%.\(digits)f", value)
    }

    /// The same with its sign: "+0.200".
    public static func signed(_ value: Double?, _ digits: Int = 3) -> String {
        guard let value, value.isFinite else { return "–" }
        return String(format: "%+.\(digits)f", value)
    }

    /// In so many significant digits: "0.012", "1.2e-09".
    public static func significant(_ value: Double?, _ digits: Int = 4) -> String {
        guard let value, value.isFinite else { return "–" }
        return String(format: "%.\(digits)g", value)
    }

    /// With an exponent: "1.20e-09".
    public static func scientific(_ value: Double) -> String { String(format: "%.2e", value) }

    /// A share as a percentage: "98.7 %".
    public static func percent(_ share: Double?, _ digits: Int = 1) -> String {
        guard let share, share.isFinite else { return "–" }
        return fixed(100 * share, digits) + " %"
    }

    /// In groups of three digits: "1 234 567".
    public static func grouped(_ number: Int) -> String {
        let digits = Array(String(number.magnitude))
        let groups = digits.enumerated().map { index, digit in
            (index > 0 && (digits.count - index) % 3 == 0 ? " " : "") + String(digit)
        }
        return (number < 0 ? "−" : "") + groups.joined()
    }

    /// The same of a number that may be no whole one; 0 for what is not finite.
    public static func grouped(_ number: Double) -> String { grouped(Int(exactly: number.rounded()) ?? 0) }

    /// "3.2 s", "140 s", "25 min", "2 h 5 min"
    public static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e12 else { return "–" }
        if seconds < 600 { return fixed(seconds, seconds < 10 ? 1 : 0) + " s" }
        let minutes = Int((seconds / 60).rounded())
        return minutes < 120 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
    }

    /// "1.5 GiB"
    public static func memory(bytes: Double) -> String { fixed(bytes / 0x1p30, 1) + " GiB" }
}
