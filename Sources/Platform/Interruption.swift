import Foundation
import Synchronization

/// Signals that ask a training to stop after its running iteration: those of a user (INT, TERM, HUP), and those by which
/// schedulers tell that the time of a job is nearly over (USR1, USR2, XCPU).
///
/// The second INT or TERM ends the process at once. One that follows a scheduler's warning is the first of its kind: the
/// time until the scheduler kills belongs to the checkpoint.
public enum Interruption {
    private static let first = Atomic<Int32>(0)
    private static let requests = Atomic<Int32>(0)

    /// The signal that asked for the stop, or 0.
    public static var signal: Int32 { first.load(ordering: .relaxed) }

    public static func install() {
        // Made here, since a signal handler must not be the first to use them.
        _ = (first.load(ordering: .relaxed), requests.load(ordering: .relaxed))
        var numbers = [SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU]
        // Who ignores HUP for a child, as nohup does, wants it to outlive the terminal.
        if !isIgnored(SIGHUP) { numbers.append(SIGHUP) }
        for number in numbers { Foundation.signal(number) { Interruption.received($0) } }
        // A parent that blocks signals hands its mask down; a training that cannot be stopped is no use.
        var mask = sigset_t()
        sigemptyset(&mask)
        for number in numbers { sigaddset(&mask, number) }
        pthread_sigmask(SIG_UNBLOCK, &mask, nil)
    }

    /// Runs in the signal handler: nothing but atomics and `_exit` may be used.
    private static func received(_ number: Int32) {
        if number == SIGINT || number == SIGTERM {
            if requests.wrappingAdd(1, ordering: .relaxed).oldValue > 0 { _exit(128 + number) }
        }
        _ = first.compareExchange(expected: 0, desired: number, ordering: .relaxed)
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
