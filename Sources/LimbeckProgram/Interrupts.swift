import Foundation
import Synchronization

/// Ctrl-C, a polite kill, and the terminal going away: training stops at the next step and writes a
/// checkpoint.
enum Interrupts {
    private static let requested = Atomic<Bool>(false)

    static var isRequested: Bool { requested.load(ordering: .relaxed) }

    static func install() {
        var signals = [SIGINT, SIGTERM]
        // Who starts a run with `nohup` wants it to outlive the terminal.
        var hangUp = sigaction()
        sigaction(SIGHUP, nil, &hangUp)
        if !isIgnored(hangUp) { signals.append(SIGHUP) }
        // A parent may have started us from a thread that blocks signals, and masks are inherited.
        var mask = sigset_t()
        sigemptyset(&mask)
        for number in signals { sigaddset(&mask, number) }
        pthread_sigmask(SIG_UNBLOCK, &mask, nil)
        for number in signals {
            signal(number) { number in
                let isSecond = Interrupts.requested.exchange(true, ordering: .relaxed)
                // A second one ends the process at once. Not a hang-up: shell and system may both send
                // it, and the system's own shutdown sends one right behind a polite kill.
                if isSecond, number != SIGHUP { _exit(130) }
            }
        }
    }

    private static func isIgnored(_ action: sigaction) -> Bool {
        #if canImport(Glibc)
            let handler = action.__sigaction_handler.sa_handler
        #else
            let handler = action.__sigaction_u.__sa_handler
        #endif
        return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
