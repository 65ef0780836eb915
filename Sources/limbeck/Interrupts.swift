import Foundation
import Synchronization

/// Ctrl-C and a polite kill: training stops at the next step and writes a checkpoint.
enum Interrupts {
    private static let requested = Atomic<Bool>(false)

    static var isRequested: Bool { requested.load(ordering: .relaxed) }

    static func install() {
        // A parent may have started us from a thread that blocks signals, and masks are inherited.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        for number in [SIGINT, SIGTERM] {
            signal(number) { _ in
                // A second one ends the process at once.
                if Interrupts.requested.exchange(true, ordering: .relaxed) { _exit(130) }
            }
        }
    }
}
