import Foundation

/// A chart as inline SVG, in the page's colours, so that it reads on a light and on a dark page.
struct Chart {
    struct Point {
        let x: Double
        let y: Double
        /// Ends of the interval around y.
        var interval: ClosedRange<Double>?
        /// Said by the pointer's tip, and to who cannot see it.
        var title = ""
        /// Of a scatter: ringed, and its series named beside it.
        var isMarked = false
    }

    struct Series {
        let name: String
        let points: [Point]
    }

    enum Kind {
        /// Points joined by lines, intervals as bands. Points are drawn themselves where they are few.
        case lines
        /// Points; marked ones are joined by steps, each as good as its last point until the next.
        case scatter
        /// A bar for each point, grouped by x = 0, 1, …; intervals as whiskers.
        case bars(groups: [String])
    }

    let kind: Kind
    let title: String
    let x: Axis
    let y: Axis
    let series: [Series]
    /// Horizontal lines: known values.
    var references: [(name: String, value: Double)] = []

    private static let (width, height) = (680.0, 320.0)
    private static let (left, right, top, bottom) = (64.0, 24.0, 12.0, 48.0)
    /// Points of a line above which they are not drawn one by one.
    private static let mostDots = 60

    /// The numbers of colours that the page defines (`--c0` …).
    static let colours = 8

    init(
        _ kind: Kind, title: String, x: String, y: String, series: [Series], logarithmicX: Bool = false,
        references: [(name: String, value: Double)] = []
    ) {
        (self.kind, self.title, self.series, self.references) = (kind, title, series, references)
        let points = series.flatMap(\.points)
        let heights = points.flatMap { [$0.y] + ($0.interval.map { [$0.lowerBound, $0.upperBound] } ?? []) }
        var isBars = false
        if case .bars = kind { isBars = true }
        self.x = Axis(x, values: points.map(\.x), kind: logarithmicX ? .logarithmic : .linear, isTight: true)
        self.y = Axis(y, values: heights + references.map(\.value), includeZero: isBars)
    }

    // MARK: Places

    private func px(_ value: Double) -> Double {
        Chart.left + x.place(value) * (Chart.width - Chart.left - Chart.right)
    }

    private func py(_ value: Double) -> Double {
        Chart.height - Chart.bottom - y.place(value) * (Chart.height - Chart.top - Chart.bottom)
    }

    private func n(_ value: Double) -> String { String(format: "%.1f", value) }

    // MARK: Drawing

    var svg: String {
        var parts = [
            "<figure class=\"chart\"><figcaption>\(escape(title))</figcaption>", legend,
            "<svg viewBox=\"0 0 \(Int(Chart.width)) \(Int(Chart.height))\" role=\"img\" aria-label=\"\(escape(title))\" "
                // Where the x axis begins and ends: for a cursor.
                + "data-left=\"\(n(Chart.left))\" data-right=\"\(n(Chart.width - Chart.right))\">",
        ]
        parts += axes
        for reference in references {
            let height = py(reference.value)
            // Above the line, unless that is the drawing's edge.
            let baseline = height < Chart.top + 12 ? height + 13 : height - 4
            parts.append(
                "<line class=\"reference\" x1=\"\(n(Chart.left))\" x2=\"\(n(Chart.width - Chart.right))\" "
                    + "y1=\"\(n(height))\" y2=\"\(n(height))\"/>"
                    + "<text class=\"small\" x=\"\(n(Chart.left + 6))\" y=\"\(n(baseline))\">"
                    + "\(escape(reference.name))</text>")
        }
        switch kind {
        case .lines: parts += lines
        case .scatter: parts += scatter
        case .bars(let groups): parts += bars(groups)
        }
        parts.append("</svg></figure>")
        return parts.joined(separator: "\n")
    }

    private var axes: [String] {
        let (low, high) = (Chart.height - Chart.bottom, Chart.width - Chart.right)
        var parts: [String] = []
        for tick in y.ticks {
            parts.append(
                "<line class=\"grid\" x1=\"\(n(Chart.left))\" x2=\"\(n(high))\" y1=\"\(n(py(tick)))\" y2=\"\(n(py(tick)))\"/>"
                    + "<text class=\"tick\" text-anchor=\"end\" x=\"\(n(Chart.left - 6))\" y=\"\(n(py(tick) + 4))\">"
                    + "\(y.text(tick))</text>")
        }
        if case .bars(let groups) = kind {
            parts.append(
                "<line class=\"base\" x1=\"\(n(Chart.left))\" x2=\"\(n(high))\" y1=\"\(n(py(0)))\" y2=\"\(n(py(0)))\"/>"
            )
            for (index, group) in groups.enumerated() {
                let centre = Chart.left + (Double(index) + 0.5) * (high - Chart.left) / Double(groups.count)
                parts.append(
                    "<text class=\"tick\" text-anchor=\"middle\" x=\"\(n(centre))\" y=\"\(n(low + 18))\">"
                        + "\(escape(group))</text>")
            }
        } else {
            for tick in x.ticks {
                parts.append(
                    "<line class=\"grid\" x1=\"\(n(px(tick)))\" x2=\"\(n(px(tick)))\" y1=\"\(n(low))\" y2=\"\(n(low + 4))\"/>"
                        + "<text class=\"tick\" text-anchor=\"middle\" x=\"\(n(px(tick)))\" y=\"\(n(low + 18))\">"
                        + "\(x.text(tick))</text>")
            }
        }
        parts.append(
            "<text class=\"label\" text-anchor=\"middle\" x=\"\(n((Chart.left + high) / 2))\" y=\"\(n(Chart.height - 8))\">"
                + "\(escape(x.label))</text>")
        parts.append(
            "<text class=\"label\" text-anchor=\"middle\" transform=\"translate(14 \(n((Chart.top + low) / 2))) rotate(-90)\">"
                + "\(escape(y.label))</text>")
        return parts
    }

    private var lines: [String] {
        series.enumerated().flatMap { index, one -> [String] in
            let colour = "var(--c\(index % Chart.colours))"
            var parts: [String] = []
            let bounded = one.points.filter { $0.interval != nil }
            if bounded.count > 1 {
                let upper = bounded.map { "\(n(px($0.x))),\(n(py($0.interval!.upperBound)))" }
                let lower = bounded.reversed().map { "\(n(px($0.x))),\(n(py($0.interval!.lowerBound)))" }
                parts.append(
                    "<polygon class=\"band\" fill=\"\(colour)\" points=\"\((upper + lower).joined(separator: " "))\"/>")
            }
            let path = one.points.map { "\(n(px($0.x))),\(n(py($0.y)))" }.joined(separator: " ")
            parts.append(
                "<polyline class=\"line\" stroke=\"\(colour)\" points=\"\(path)\"><title>\(escape(one.name))</title></polyline>"
            )
            if one.points.count <= Chart.mostDots { parts += one.points.map { dot($0, colour, radius: 2.5) } }
            return parts
        }
    }

    private var scatter: [String] {
        let marked = series.flatMap { one in one.points.filter(\.isMarked).map { (name: one.name, point: $0) } }
            .sorted { $0.point.x < $1.point.x }
        var path: [String] = []
        for (index, (_, point)) in marked.enumerated() {
            if index > 0 { path.append("\(n(px(point.x))),\(n(py(marked[index - 1].point.y)))") }
            path.append("\(n(px(point.x))),\(n(py(point.y)))")
        }
        if let last = marked.last { path.append("\(n(Chart.width - Chart.right)),\(n(py(last.point.y)))") }
        var parts = path.isEmpty ? [] : ["<polyline class=\"front\" points=\"\(path.joined(separator: " "))\"/>"]
        parts += series.enumerated().flatMap { index, one -> [String] in
            one.points.map { dot($0, "var(--c\(index % Chart.colours))", radius: 5) }
        }
        parts += marked.map { name, point in
            let isRight = px(point.x) > 0.75 * Chart.width
            return "<circle class=\"ring\" cx=\"\(n(px(point.x)))\" cy=\"\(n(py(point.y)))\" r=\"8.5\"/>"
                + "<text class=\"small\" text-anchor=\"\(isRight ? "end" : "start")\" "
                + "x=\"\(n(px(point.x) + (isRight ? -12 : 12)))\" y=\"\(n(py(point.y) + 15))\">\(escape(name))</text>"
        }
        return parts
    }

    private func dot(_ point: Point, _ colour: String, radius: Double) -> String {
        "<circle cx=\"\(n(px(point.x)))\" cy=\"\(n(py(point.y)))\" r=\"\(n(radius))\" fill=\"\(colour)\">"
            + "<title>\(escape(point.title))</title></circle>"
    }

    private func bars(_ groups: [String]) -> [String] {
        let group = (Chart.width - Chart.left - Chart.right) / Double(groups.count)
        let bar = 0.8 * group / Double(max(series.count, 1))
        return series.enumerated().flatMap { index, one -> [String] in
            one.points.flatMap { point -> [String] in
                let start = Chart.left + point.x * group + 0.1 * group + Double(index) * bar
                let (high, low) = (min(py(point.y), py(0)), max(py(point.y), py(0)))
                var parts = [
                    "<rect x=\"\(n(start))\" y=\"\(n(high))\" width=\"\(n(0.92 * bar))\" height=\"\(n(low - high))\" "
                        + "fill=\"var(--c\(index % Chart.colours))\"><title>\(escape(point.title))</title></rect>"
                ]
                if let interval = point.interval {
                    let centre = n(start + 0.46 * bar)
                    parts.append(
                        "<line class=\"whisker\" x1=\"\(centre)\" x2=\"\(centre)\" y1=\"\(n(py(interval.lowerBound)))\" "
                            + "y2=\"\(n(py(interval.upperBound)))\"/>")
                }
                return parts
            }
        }
    }

    /// Above the drawing and in the page's own text, so that names of any length have room.
    private var legend: String {
        let entries = series.enumerated().map { index, one in
            "<li><i style=\"background:var(--c\(index % Chart.colours))\"></i>\(escape(one.name))</li>"
        }
        return "<ul class=\"legend\">\(entries.joined())</ul>"
    }
}

/// Text as it may stand in HTML and in attributes.
func escape(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
        .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
}
