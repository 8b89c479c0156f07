/// A colour picture of bytes, red, green and blue, row-major from the top left.
public struct Picture: Sendable, Equatable {
    public let width: Int
    public let height: Int
    /// [height, width, 3]
    public private(set) var bytes: [UInt8]

    public struct Colour: Sendable, Equatable {
        public var red, green, blue: UInt8

        public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
            (self.red, self.green, self.blue) = (red, green, blue)
        }

        /// Between this and another colour: this one at 0, the other at 1.
        func mixed(_ share: Double, _ other: Colour) -> Colour {
            func part(_ a: UInt8, _ b: UInt8) -> UInt8 {
                UInt8((Double(a) + (Double(b) - Double(a)) * share).rounded())
            }
            return Colour(part(red, other.red), part(green, other.green), part(blue, other.blue))
        }
    }

    /// A picture of one colour.
    public init(width: Int, height: Int, _ colour: Colour = Colour(0, 0, 0)) {
        precondition(width > 0 && height > 0, "a picture of \(width) × \(height) pixels")
        (self.width, self.height) = (width, height)
        bytes = []
        bytes.reserveCapacity(3 * width * height)
        for _ in 0..<width * height { bytes += [colour.red, colour.green, colour.blue] }
    }

    /// - Parameter bytes: [height, width, 3]
    public init(width: Int, height: Int, bytes: [UInt8]) {
        precondition(bytes.count == 3 * width * height, "\(bytes.count) bytes for \(width) × \(height) pixels")
        (self.width, self.height, self.bytes) = (width, height, bytes)
    }

    /// A pixel; writing beyond the picture does nothing.
    public subscript(x: Int, y: Int) -> Colour {
        get {
            precondition(x >= 0 && x < width && y >= 0 && y < height, "a pixel beyond the picture")
            let place = 3 * (y * width + x)
            return Colour(bytes[place], bytes[place + 1], bytes[place + 2])
        }
        set {
            guard x >= 0, x < width, y >= 0, y < height else { return }
            let place = 3 * (y * width + x)
            (bytes[place], bytes[place + 1], bytes[place + 2]) = (newValue.red, newValue.green, newValue.blue)
        }
    }

    // MARK: Drawing

    public mutating func fill(_ columns: Range<Int>, _ rows: Range<Int>, _ colour: Colour) {
        for y in rows.clamped(to: 0..<height) { for x in columns.clamped(to: 0..<width) { self[x, y] = colour } }
    }

    /// A disc with a soft edge, `strength` 0 … 1 thick.
    public mutating func disc(_ x: Double, _ y: Double, radius: Double, _ colour: Colour, strength: Double = 1) {
        line(from: (x, y), to: (x, y), width: 2 * radius, colour, strength: strength)
    }

    /// A straight line with round ends and soft edges.
    public mutating func line(
        from start: (x: Double, y: Double), to end: (x: Double, y: Double), width thickness: Double, _ colour: Colour,
        strength: Double = 1
    ) {
        let radius = thickness / 2
        let (dx, dy) = (end.x - start.x, end.y - start.y)
        let length = dx * dx + dy * dy
        let columns = Int(min(start.x, end.x) - radius - 1)...Int(max(start.x, end.x) + radius + 2)
        let rows = Int(min(start.y, end.y) - radius - 1)...Int(max(start.y, end.y) + radius + 2)
        for y in rows where y >= 0 && y < height {
            for x in columns where x >= 0 && x < width {
                let (px, py) = (Double(x) + 0.5 - start.x, Double(y) + 0.5 - start.y)
                let along = length > 0 ? min(max((px * dx + py * dy) / length, 0), 1) : 0
                let (ox, oy) = (px - along * dx, py - along * dy)
                let cover = min(max(radius + 0.5 - (ox * ox + oy * oy).squareRoot(), 0), 1)
                if cover > 0 { self[x, y] = self[x, y].mixed(cover * strength, colour) }
            }
        }
    }

    /// Copies another picture to a place.
    public mutating func place(_ other: Picture, x left: Int, y top: Int) {
        for y in 0..<other.height { for x in 0..<other.width { self[left + x, top + y] = other[x, y] } }
    }

    /// Every pixel as a square of `factor` × `factor`.
    public func scaled(by factor: Int) -> Picture {
        precondition(factor > 0, "a scale of \(factor)")
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count * factor * factor)
        for y in 0..<height {
            var row: [UInt8] = []
            for x in 0..<width {
                let pixel = bytes[3 * (y * width + x)..<3 * (y * width + x) + 3]
                for _ in 0..<factor { row += pixel }
            }
            for _ in 0..<factor { result += row }
        }
        return Picture(width: factor * width, height: factor * height, bytes: result)
    }
}
