import Foundation
import Report
import RunReports
import Synchronization
import Training

/// Shows how training gets on: a bar that is redrawn on a terminal, plain lines elsewhere.
///
/// Phases may train side by side on several threads; every step of any of them comes here.
final class Progressing: Sendable {
    static let shared = Progressing()

    private let state = Mutex(ProgressState())

    /// - Parameters:
    ///   - phases: how many will be trained or found, for the time left.
    ///   - verbose: a line per epoch and teacher; otherwise per phase.
    func begin(phases: Int, verbose: Bool) {
        state.withLock { $0.begin(phases: phases, verbose: verbose) }
    }

    func observe(_ event: PhaseEvent) { state.withLock { $0.observe(event) } }

    /// Takes the bar from the terminal.
    func clear() { state.withLock { $0.clear() } }
}

private struct ProgressState {
    private var throttle = ProgressThrottle(
        interval: Console.isTerminal ? 0.1 : 10, clock: ProgressState.clock)
    private var began = 0.0
    private var skipped = 0
    private var running: [String: (name: String, step: Int, steps: Int)] = [:]
    private var finishedSteps = 0
    private var finishedPhases = 0
    private var phases = 1
    private var isDrawn = false
    private var verbose = true

    mutating func begin(phases: Int, verbose: Bool) {
        self.phases = max(1, phases)
        self.verbose = verbose
        began = Self.clock()
    }

    mutating func observe(_ event: PhaseEvent) {
        switch event {
        case .began(let spec, let resumed, let steps):
            running[spec.key] = (spec.name, resumed ?? 0, steps)
            skipped += resumed ?? 0
            if let resumed { line("\(title(spec)): resumed at step \(resumed) of \(steps)") }
        case .step(let spec, let step, _):
            running[spec.key]?.step = step
            draw(final: false)
        case .note(let spec, let text):
            if verbose, let text { line("\(title(spec)): \(text)") }
            draw(final: false)
        case .epoch(let spec, let metrics):
            if verbose {
                line(
                    "\(title(spec)) epoch \(metrics.epoch): loss \(Numbers.fixed(metrics.loss, 4)), "
                        + "validation \(percent(metrics.validation.accuracy)), test \(percent(metrics.test.accuracy))"
                        + (metrics.emaTest.map { ", EMA \(percent($0.accuracy))" } ?? ""))
            }
        case .failed(let spec, let problem):
            running[spec.key] = nil
            line("\(title(spec)): failed: \(problem)")
        case .finished(let spec, let result, let seconds, let reused):
            finishedSteps += running.removeValue(forKey: spec.key)?.steps ?? 0
            finishedPhases += 1
            line(
                "\(title(spec)) \(reused ? "found" : "done in \(Numbers.compact(seconds)) s"): "
                    + result.summary)
            for warning in result.warnings { line("\(title(spec)): warning: \(warning)") }
        }
    }

    mutating func clear() {
        if isDrawn, Console.isTerminal {
            Console.draw("\r\u{1b}[K")
            isDrawn = false
        }
    }

    private static func clock() -> Double {
        Double(DispatchTime.now().uptimeNanoseconds) / 1e9
    }

    private func title(_ spec: PhaseSpec) -> String {
        let models = Set(spec.learners.map(\.model.name)).sorted().joined(separator: " + ")
        return "\(spec.name) (\(models), seed \(spec.seed))"
    }

    private mutating func line(_ text: String) {
        clear()
        Console.say(text)
        draw(final: true)
    }

    private mutating func draw(final: Bool) {
        guard throttle.isDue(final: final && Console.isTerminal) else { return }
        let now = running.values.map(\.step).reduce(0, +) + finishedSteps
        // Phases of one recipe are about equally long: those to come are taken to be as the known.
        let known = running.values.map(\.steps).reduce(0, +) + finishedSteps
        let count = running.count + finishedPhases
        let total = count == 0 ? 0 : known * max(phases, count) / count
        let label = running.values.map(\.name).sorted().joined(separator: " + ")
        let elapsed = Self.clock() - began
        if Console.isTerminal {
            var size = winsize()
            let width = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 80
            let text = Progress.line(
                done: now, total: total, elapsed: elapsed, label: label, width: max(20, width - 1))
            Console.draw("\r\u{1b}[K\(text)")
            isDrawn = true
        } else if !final {
            Console.say(Progress.plain(done: now, total: total, elapsed: elapsed, label: label))
        }
    }
}
