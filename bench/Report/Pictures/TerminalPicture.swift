import Interface
import Tasks

/// Pictures as text for a terminal.
public struct TerminalPicture: Sendable {
    /// What a terminal can show.
    public enum Colours: String, Sendable, CaseIterable {
        /// 24 bits a colour.
        case full
        /// The 256 colours of xterm.
        case few = "256"
        /// Letters without colour.
        case none

        /// What a terminal says of itself.
        /// - Parameters:
        ///   - environment: `COLORTERM` and `TERM` tell of colours, `NO_COLOR` forbids them; `LC_ALL`, `LC_CTYPE` or `LANG`
        ///     must be UTF-8 for the block characters.
        public static func supported(by environment: [String: String]) -> Colours {
            func value(_ name: String) -> String { (environment[name] ?? "").lowercased() }
            let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(value).first { !$0.isEmpty } ?? ""
            guard value("NO_COLOR").isEmpty, locale.contains("utf-8") || locale.contains("utf8") else { return .none }
            if ["truecolor", "24bit"].contains(value("COLORTERM")) { return .full }
            return value("TERM").contains("256color") ? .few : .none
        }
    }

    public let colours: Colours

    public init(_ colours: Colours) { self.colours = colours }

    /// A line of text for every two rows of pixels, a character for every column: in colour the upper half block, whose
    /// foreground is the upper pixel and whose background the lower one.
    public func lines(_ picture: Picture) -> [String] {
        stride(from: 0, to: picture.height, by: 2).map { y in
            let lower = min(y + 1, picture.height - 1)
            var (line, before) = ("", "")
            for x in 0..<picture.width {
                let (above, below) = (picture[x, y], picture[x, lower])
                guard colours != .none else {
                    line.append(TerminalPicture.letter(above, below))
                    continue
                }
                let code = "\u{1B}[\(code(above, 38));\(code(below, 48))m"
                if code != before { line += code }
                before = code
                line += "▀"
            }
            return colours == .none ? line : line + "\u{1B}[0m"
        }
    }

    /// - Parameter layer: 38 for the foreground, 48 for the background.
    private func code(_ colour: Picture.Colour, _ layer: Int) -> String {
        colours == .full
            ? "\(layer);2;\(colour.red);\(colour.green);\(colour.blue)" : "\(layer);5;\(TerminalPicture.index(colour))"
    }

    /// The nearest of the 216 colours of xterm's cube and its 24 greys.
    static func index(_ colour: Picture.Colour) -> Int {
        let levels = [0, 95, 135, 175, 215, 255]
        let wanted = [colour.red, colour.green, colour.blue].map { Int($0) }
        func distance(_ other: [Int]) -> Int { zip(wanted, other).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
        let steps = wanted.map { value in
            levels.indices.min { abs(levels[$0] - value) < abs(levels[$1] - value) } ?? 0
        }
        let grey = max(0, min(23, (wanted.reduce(0, +) / 3 - 3) / 10))
        return distance([Int](repeating: 8 + 10 * grey, count: 3)) < distance(steps.map { levels[$0] })
            ? 232 + grey : 16 + 36 * steps[0] + 6 * steps[1] + steps[2]
    }

    /// Dark to light; what is red stands out by its letter.
    private static func letter(_ above: Picture.Colour, _ below: Picture.Colour) -> Character {
        func mean(_ one: UInt8, _ other: UInt8) -> Int { (Int(one) + Int(other)) / 2 }
        let (red, green, blue) = (
            mean(above.red, below.red), mean(above.green, below.green), mean(above.blue, below.blue)
        )
        if red > 90 && red > 2 * green && red > 2 * blue { return "R" }
        let letters = Array(" .:-=+*%#@")
        return letters[min(letters.count - 1, (3 * red + 6 * green + blue) * letters.count / 2560)]
    }
}

/// A member from above, small enough for a terminal, with the agent on it.
public struct TerminalMap: Sendable {
    private let plan: FloorPlan
    /// Pixels a cell.
    private static let scale = 4

    public init(_ plan: FloorPlan) { self.plan = plan }

    /// Pixels a side.
    public var side: Int { max(1, plan.side * TerminalMap.scale / max(1, plan.cell)) }

    /// - Parameters:
    ///   - places: the way so far, the latest last.
    public func picture(_ places: [FloorPlan.Place]) -> Picture {
        func pixel(_ unit: Int) -> Int { unit * TerminalMap.scale / max(1, plan.cell) }
        func pixels(_ units: Range<Int>) -> Range<Int> {
            pixel(units.lowerBound)..<max(pixel(units.lowerBound) + 1, pixel(units.upperBound))
        }
        var picture = Picture(width: side, height: side, Picture.Colour(236, 232, 222))
        for wall in plan.walls { picture.fill(pixels(wall.x), pixels(wall.y), Picture.Colour(62, 68, 84)) }
        for target in plan.targets { picture.fill(pixels(target.x), pixels(target.y), Picture.Colour(226, 32, 40)) }
        for place in places { picture[pixel(place.x), pixel(place.y)] = Picture.Colour(150, 190, 235) }
        if let place = places.last {
            picture[pixel(place.x), pixel(place.y)] = Picture.Colour(20, 90, 190)
            // Where it looks: the next pixel that way.
            let (dx, dy) = TerminalMap.direction(place.degrees)
            picture[pixel(place.x) + dx, pixel(place.y) + dy] = Picture.Colour(20, 160, 90)
        }
        return picture
    }

    /// A letter for each cell, twice as wide as high: # wall, R target, and the agent as an arrow.
    public func letters(_ place: FloorPlan.Place?) -> [String] {
        let cells = max(1, plan.side / max(1, plan.cell))
        func holds(_ boxes: [FloorPlan.Box], _ column: Int, _ row: Int) -> Bool {
            let (x, y) = (column * plan.cell + plan.cell / 2, row * plan.cell + plan.cell / 2)
            return boxes.contains { $0.x.contains(x) && $0.y.contains(y) }
        }
        return (0..<cells).map { row in
            (0..<cells).map { column in
                if let place, place.x / max(1, plan.cell) == column, place.y / max(1, plan.cell) == row {
                    let (dx, dy) = TerminalMap.direction(place.degrees)
                    return dx > 0 ? ">>" : dx < 0 ? "<<" : dy > 0 ? "vv" : "^^"
                }
                return holds(plan.targets, column, row) ? "RR" : holds(plan.walls, column, row) ? "##" : "  "
            }.joined()
        }
    }

    /// The nearest of the four directions, one pixel that way.
    private static func direction(_ degrees: Int) -> (x: Int, y: Int) {
        switch ((degrees % 360 + 360) % 360 + 45) / 90 % 4 {
        case 0: (1, 0)
        case 1: (0, 1)
        case 2: (-1, 0)
        default: (0, -1)
        }
    }
}
