import Foundation

/// The words of a progress report. Nothing here writes: the program puts the text where it
/// belongs (`\r` and the line on a terminal, one line each elsewhere).
public enum Progress {
    /// A line for a terminal of `width` columns:
    /// `stage 1  ━━━━━━━─────  42 %  420/1000  1.2k images/s  0:13 left`.
    ///
    /// What does not fit goes in this order: the bar, the rate, the counts, and at last the
    /// label is cut. `ascii` draws the bar with `#` and `-`.
    /// - Parameters:
    ///   - done: what is done, clamped to `0...total`.
    ///   - total: the whole; not positive means unknown: no bar, no time left.
    ///   - elapsed: seconds since `done` was 0.
    public static func line(
        done: Int, total: Int, elapsed: Double, label: String, unit: String = "steps",
        width: Int = 80, ascii: Bool = false
    ) -> String {
        let state = State(done: done, total: total, elapsed: elapsed, unit: unit)
        let counts = [state.percent, state.counts]
        let speed = [state.rate, state.left]
        for parts in [counts + speed, [state.percent, state.counts, state.left], [state.percent]] {
            let texts = parts.compactMap { $0 }
            let used = DisplayWidth.of(label) + texts.reduce(0) { $0 + 2 + DisplayWidth.of($1) }
            if used > width { continue }
            let room = min(width - used - 2, 30)
            let bar =
                room >= 6 && parts.count > 1 ? state.bar(room, ascii: ascii).map { [$0] } ?? [] : []
            return ([label] + bar + texts).joined(separator: "  ")
        }
        return DisplayWidth.cut(label, to: max(width, 1))
    }

    /// A line for a log: `stage 1: 420/1000 steps (42 %), 1.2k steps/s, 0:13 left`.
    public static func plain(
        done: Int, total: Int, elapsed: Double, label: String, unit: String = "steps"
    ) -> String {
        let state = State(done: done, total: total, elapsed: elapsed, unit: unit)
        var text = "\(label): \(state.counts) \(unit)"
        if let percent = state.percent { text += " (\(percent.trimmingSpaces))" }
        for part in [state.rate, state.left].compactMap({ $0 }) { text += ", \(part)" }
        return text
    }

    private struct State {
        var percent: String?
        var counts: String
        var rate: String?
        var left: String?
        var fraction: Double?

        init(done: Int, total: Int, elapsed: Double, unit: String) {
            let known = total > 0
            let done = known ? min(max(done, 0), total) : max(done, 0)
            counts = known ? "\(done)/\(total)" : "\(done)"
            if known {
                let share = Double(done) / Double(total)
                fraction = share
                // Rounded down: 100 % means done.
                let whole = "\(Int(share * 100))"
                percent = String(repeating: " ", count: 3 - whole.count) + whole + " %"
            }
            guard elapsed > 0, elapsed.isFinite, done > 0 else { return }
            let speed = Double(done) / elapsed
            rate = "\(Numbers.compact(speed)) \(unit)/s"
            if known {
                left =
                    done == total
                    ? "took \(Numbers.clock(elapsed))"
                    : "\(Numbers.clock(Double(total - done) / speed)) left"
            }
        }

        func bar(_ width: Int, ascii: Bool) -> String? {
            fraction.map {
                let full = Int($0 * Double(width))
                return String(repeating: ascii ? "#" : "━", count: full)
                    + String(repeating: ascii ? "-" : "─", count: width - full)
            }
        }
    }
}

/// Decides when a progress line is due: the first, the last, and between them at most one per
/// `interval` seconds of the clock it is given.
public struct ProgressThrottle: Sendable {
    public let interval: Double
    private let clock: @Sendable () -> Double
    private var shown: Double?

    /// - Parameters:
    ///   - interval: seconds: about 0.1 on a terminal, 10 in a log.
    ///   - clock: seconds on a clock that does not go back.
    public init(interval: Double, clock: @escaping @Sendable () -> Double) {
        self.interval = interval
        self.clock = clock
    }

    /// Whether to show progress now. Call it once per step; `final` for the last one.
    public mutating func isDue(final: Bool = false) -> Bool {
        let now = clock()
        if !final, let shown, now - shown < interval { return false }
        shown = now
        return true
    }
}

extension String {
    fileprivate var trimmingSpaces: String { trimmingCharacters(in: .whitespaces) }
}
