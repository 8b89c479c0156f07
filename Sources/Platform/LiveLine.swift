import Foundation

/// A line on standard error that is written over again and again, where that is a terminal; elsewhere each is a line of
/// its own.
///
/// A line that is longer than the window would take two, of which only the second can be written over. So it is cut to
/// the width that the window has at that moment.
public struct LiveLine: Sendable {
    private let isLive: Bool

    public init() {
        let terminal = ProcessInfo.processInfo.environment["TERM"] ?? ""
        isLive = isatty(STDERR_FILENO) == 1 && !["", "dumb"].contains(terminal)
    }

    public func show(_ line: String) {
        guard isLive else { return Console.error(line) }
        // In the last column some terminals go on to the next line.
        Console.overwriteLine("\r\u{1B}[K" + LiveLine.cut(line, to: LiveLine.windowWidth() - 1))
    }

    /// Columns of the window behind standard error; where it does not say, of COLUMNS; else 80.
    static func windowWidth() -> Int {
        var size = winsize()
        if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
        if let text = ProcessInfo.processInfo.environment["COLUMNS"], let columns = Int(text), columns > 0 {
            return columns
        }
        return 80
    }

    /// As much of the line as fits into so many columns; control characters become spaces.
    static func cut(_ line: String, to columns: Int) -> String {
        var (result, used) = (String.UnicodeScalarView(), 0)
        for scalar in line.unicodeScalars {
            let scalar = scalar.properties.generalCategory == .control ? " " : scalar
            used += width(of: scalar)
            if used > columns { break }
            result.append(scalar)
        }
        return String(result)
    }

    /// Columns that a terminal gives to a character: none to accents that join the one before, two to East Asian
    /// characters and pictures.
    static func width(of scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF,
            0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}
