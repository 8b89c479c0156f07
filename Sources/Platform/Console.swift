import Foundation
import Synchronization

/// What the program says on its standard streams.
///
/// Standard error tells how the work goes, and the work does not depend on it: a line that cannot be written, because
/// the terminal is gone, the disk is full or nobody reads the pipe, is dropped. Standard output is the result of a
/// command: what cannot be written there is remembered, and `exit` turns success into failure.
public enum Console {
    private static let output = Mutex(StandardOutput())
    private static let errors = Mutex(StandardError())

    /// Call this before anything else in `main`.
    ///
    /// Files take the lowest free number, so a process that was started with a standard stream closed would open its
    /// table there, and a line for that stream would land in the table. Such a number is taken by /dev/null here, for
    /// reading only: what is written to it fails, as it would have.
    ///
    /// A reader of standard output that has enough ends the process, as usual, even where the parent ignores SIGPIPE. A
    /// file that reaches the limit of `ulimit -f` is an error like a full disk and does not end the process.
    public static func prepare() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
            _ = open("/dev/null", O_RDONLY)
        }
        signal(SIGPIPE, SIG_DFL)
        signal(SIGXFSZ, SIG_IGN)
    }

    /// Prints on standard output; on a terminal at once, elsewhere when enough has come together and at the end.
    public static func output(_ text: String) { output.withLock { $0.print(text) } }

    /// Writes a line to standard error. It stays one line: line breaks inside it become spaces.
    public static func error(_ line: String) {
        let line = line.split(whereSeparator: \.isNewline).joined(separator: " ")
        errors.withLock { $0.writeLine(line) }
    }

    /// Writes over the last line of a terminal, which stays open: a line of `error` begins below it.
    static func overwriteLine(_ text: String) { errors.withLock { $0.write(text, leavesLineOpen: true) } }

    /// Ends the process with this code; success becomes 1 where standard output could not be written.
    public static func exit(_ code: Int32) -> Never {
        let failure = output.withLock { $0.finish() }
        if failure != 0 {
            error(
                "rl2x: standard output could not be written (\(String(cString: strerror(failure)))) and is incomplete; "
                    + "send it elsewhere")
        }
        errors.withLock { $0.closeLine() }
        Foundation.exit(failure != 0 && code == 0 ? 1 : code)
    }

    /// Says in one line why the process ends, and ends it.
    public static func fail(_ line: String, code: Int32 = 1) -> Never {
        error("rl2x: " + line)
        exit(code)
    }

    /// Ends the process because the system has no memory left for it.
    public static func failForLackOfMemory(bytes: Int) -> Never {
        fail("out of memory: \(bytes >> 20) MiB could not be had; use a smaller --batch-steps, --hidden or --layers")
    }
}

/// Standard output, whose failures are remembered.
private struct StandardOutput {
    private var waiting: [UInt8] = []
    /// `errno` of the first write that failed, or 0. Nothing more is written after it.
    private var failure: Int32 = 0
    private lazy var isTerminal = isatty(STDOUT_FILENO) == 1

    mutating func print(_ text: String) {
        guard failure == 0 else { return }
        waiting += text.utf8
        if isTerminal || waiting.count >= 1 << 16 { flush() }
    }

    /// Writes what waits and closes the stream; `errno` of what failed since the start, or 0.
    mutating func finish() -> Int32 {
        flush()
        // What another module printed through the C library.
        if fflush(nil) != 0, failure == 0 { failure = errno }
        // Network file systems report a full disk as late as here.
        if close(STDOUT_FILENO) != 0, failure == 0 { failure = errno }
        return failure
    }

    private mutating func flush() {
        var written = 0
        while written < waiting.count && failure == 0 {
            let count = waiting.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress! + written, $0.count - written) }
            if count >= 0 {
                written += count
            } else if errno == EAGAIN {
                // A pipe that somebody made non-blocking, and that is full: its reader will come.
                _ = waitUntilWritable(STDOUT_FILENO, milliseconds: -1)
            } else if errno != EINTR {
                failure = errno
            }
        }
        waiting.removeAll(keepingCapacity: true)
    }
}

/// Standard error, which drops what it cannot write.
private struct StandardError {
    /// Whether the last thing written was not the end of a line.
    private var isLineOpen = false
    /// Whether the last thing could not be written because a pipe was full. Only the first one waits for its reader.
    private var isFull = false

    mutating func writeLine(_ line: String) { write((isLineOpen ? "\n" : "") + line + "\n", leavesLineOpen: false) }

    mutating func closeLine() { if isLineOpen { write("\n", leavesLineOpen: false) } }

    mutating func write(_ text: String, leavesLineOpen: Bool) {
        let bytes = Array(text.utf8)
        let written = withoutPipeSignal { writeAll(bytes) }
        if written > 0 { isLineOpen = written < bytes.count || leavesLineOpen }
    }

    /// Bytes that could be written.
    private mutating func writeAll(_ bytes: [UInt8]) -> Int {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Foundation.write(STDERR_FILENO, $0.baseAddress! + written, $0.count - written)
            }
            if count > 0 {
                written += count
                isFull = false
            } else if count < 0 && errno == EINTR {
                continue
            } else if count < 0 && errno == EAGAIN && !isFull {
                isFull = !waitUntilWritable(STDERR_FILENO, milliseconds: 200)
            } else {
                break
            }
        }
        return written
    }

    /// Writing to a pipe without a reader ends the process by SIGPIPE, and must not: the signal is held back from this
    /// thread, and taken away if it came.
    private func withoutPipeSignal<Result>(_ body: () -> Result) -> Result {
        var (pipe, pending, before) = (sigset_t(), sigset_t(), sigset_t())
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        sigpending(&pending)
        let wasPending = sigismember(&pending, SIGPIPE) == 1
        pthread_sigmask(SIG_BLOCK, &pipe, &before)
        let result = body()
        var atOnce = timespec()
        if !wasPending { while sigtimedwait(&pipe, nil, &atOnce) == -1 && errno == EINTR {} }
        pthread_sigmask(SIG_SETMASK, &before, nil)
        return result
    }
}

/// False if nothing could be written within this time.
private func waitUntilWritable(_ descriptor: Int32, milliseconds: Int32) -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return poll(&request, 1, milliseconds) != 0
}
