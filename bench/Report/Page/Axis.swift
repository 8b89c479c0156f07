import Foundation
import Interface

/// The scale of one side of a chart: from values to a place along it, and round numbers to mark it with.
struct Axis {
    enum Kind { case linear, logarithmic }

    let label: String
    let kind: Kind
    let low: Double
    let high: Double
    /// Round values between `low` and `high`.
    let ticks: [Double]

    /// - Parameters:
    ///   - values: to be shown, at least one; all positive for a logarithmic axis.
    ///   - includeZero: for bars, whose length is their meaning.
    ///   - isTight: ends at the least and the most value, not at the round numbers around them.
    init(_ label: String, values: [Double], kind: Kind = .linear, includeZero: Bool = false, isTight: Bool = false) {
        (self.label, self.kind) = (label, kind)
        let shown = values.filter { $0.isFinite && (kind == .linear || $0 > 0) }
        var (least, most) = (shown.min() ?? 0, shown.max() ?? 1)
        if includeZero { (least, most) = (min(least, 0), max(most, 0)) }
        switch kind {
        case .linear:
            if least == most { (least, most) = (least - 0.5, most + 0.5) }
            // Between whole numbers, such as episodes, there is nothing to mark.
            let areWhole = isTight && shown.allSatisfy { $0 == $0.rounded() }
            let step = max(Axis.step((most - least) / 5), areWhole ? 1 : 0)
            let outer = (low: (least / step).rounded(.down), high: (most / step).rounded(.up))
            (low, high) = isTight ? (least, most) : (outer.low * step, outer.high * step)
            let (first, last) = (low - 1e-9 * step, high + 1e-9 * step)
            ticks = stride(from: outer.low, through: outer.high, by: 1).map { $0 * step }.filter {
                $0 >= first && $0 <= last
            }
        case .logarithmic:
            if shown.isEmpty { (least, most) = (1, 1) }
            // 1, 2 and 5 times powers of ten, a tenth beyond the values, that no point lies on the edge.
            let powers = Int(log10(least).rounded(.down)) - 1...Int(log10(most).rounded(.up)) + 1
            let tens = powers.map { pow(10, Double($0)) }
            let marks = tens.flatMap { ten in [1, 2, 5].map { $0 * ten } }
            low = marks.last { $0 <= least / 1.1 }!
            high = marks.first { $0 >= most * 1.1 }!
            let (first, last) = (low, high)
            func within(_ marks: [Double]) -> [Double] { marks.filter { $0 >= first && $0 <= last } }
            ticks = within(marks).count > 7 ? within(tens) : within(marks)
        }
    }

    /// 1, 2 or 5 times a power of ten, the least that is not below `size`.
    private static func step(_ size: Double) -> Double {
        let power = pow(10, log10(size).rounded(.down))
        return [1, 2, 5, 10].map { $0 * power }.first { $0 >= size * 0.999 } ?? 10 * power
    }

    /// Where a value lies, 0 at `low` and 1 at `high`.
    func place(_ value: Double) -> Double {
        switch kind {
        case .linear: (value - low) / (high - low)
        case .logarithmic: (log10(max(value, low)) - log10(low)) / (log10(high) - log10(low))
        }
    }

    /// A tick's number: 2.5, 40 k, 3 M.
    func text(_ value: Double) -> String {
        let size = abs(value)
        if size >= 1e9 { return Axis.short(value / 1e9) + " G" }
        if size >= 1e6 { return Axis.short(value / 1e6) + " M" }
        if size >= 1e4 { return Axis.short(value / 1e3) + " k" }
        return Axis.short(value)
    }

    private static func short(_ value: Double) -> String {
        abs(value) < 1e-12 ? "0" : Display.significant(value)
    }
}
