import Foundation

/// A pseudo-terminal, of which a program is given one end and a test reads the other.
final class Terminal {
    /// The end of the program.
    let program: FileHandle
    private var screen: Int32

    struct Unavailable: Error {}

    init(columns: Int) throws {
        // Numbers of linux/ioctl.h that Foundation does not hand on.
        let (unlock, number) = (UInt(0x4004_5431), UInt(0x8004_5430))
        screen = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var (locked, index): (Int32, Int32) = (0, 0)
        guard screen >= 0, ioctl(screen, unlock, &locked) == 0, ioctl(screen, number, &index) == 0 else {
            throw Unavailable()
        }
        let descriptor = open("/dev/pts/\(index)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Unavailable() }
        program = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var size = winsize(ws_row: 24, ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        guard ioctl(screen, UInt(TIOCSWINSZ), &size) == 0 else { throw Unavailable() }
        _ = fcntl(screen, F_SETFL, O_NONBLOCK)
    }

    deinit { hangUp() }

    /// What has been written since the last call; to be called again and again, since a terminal holds 4 KiB.
    func read() -> String {
        var (text, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 4096))
        while true {
            let count = Foundation.read(screen, &buffer, buffer.count)
            guard count > 0 else { return String(decoding: text, as: UTF8.self) }
            text += buffer.prefix(count)
        }
    }

    /// What is written to a terminal without its screen is an error of input and output.
    func hangUp() {
        if screen >= 0 { close(screen) }
        screen = -1
    }
}
