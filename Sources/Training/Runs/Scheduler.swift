import Diagnostics
import Foundation
import Torch

/// Trains phases side by side, each on its own threads, in an order that their dependencies allow.
///
/// On a processor with few cores and small networks, one thread for each of several runs does far
/// more work than several threads for each run in turn.
final class Scheduler: @unchecked Sendable {
    // Everything mutable is touched only while `condition` is locked, or after all workers have ended. A
    // mutex would not do: a worker waits until another one has finished what its job needs.
    struct Job {
        var spec: PhaseSpec
        /// Keys of the phases that must be complete before.
        var needs: Set<String>
        var work: @Sendable () throws -> Void
    }

    private let condition = NSCondition()
    private var waiting: [Job]
    private var done: Set<String>
    private var running = 0
    private var failure: (any Error)?
    private var failed: [String: Problem]

    /// - Parameter failed: phases that are known to fail, and why.
    init(_ jobs: [Job], done: Set<String>, failed: [String: Problem] = [:]) {
        waiting = jobs
        self.done = done
        self.failed = failed
    }

    /// Whether some job has failed: the others stop at their next step.
    var hasFailed: Bool {
        condition.withLock { failure != nil }
    }

    /// - Parameters:
    ///   - workers: phases at a time.
    ///   - threads: engine threads of each.
    /// - Returns: the phases that failed for their data or their numbers, with those that needed one of
    ///   them, and why, by key. Such a failure is of one phase: the others are trained.
    /// - Throws: the first other failure, after the other workers have stopped.
    func run(workers: Int, threads: Int) throws -> [String: Problem] {
        let group = DispatchGroup()
        for _ in 0..<max(1, workers) {
            group.enter()
            let thread = Thread { [self] in
                Engine.threads = threads
                while let job = next() { perform(job) }
                group.leave()
            }
            // The engine's kernels and autograd recurse deeper than a secondary thread's default.
            thread.stackSize = 16 << 20
            thread.start()
        }
        group.wait()
        if let failure { throw failure }
        return failed
    }

    private func next() -> Job? {
        condition.lock()
        defer { condition.unlock() }
        while true {
            failHeirs()
            if failure != nil || waiting.isEmpty { return nil }
            if let i = waiting.firstIndex(where: { $0.needs.isSubset(of: done) }) {
                running += 1
                return waiting.remove(at: i)
            }
            precondition(running > 0, "phases that wait for one another")
            condition.wait()
        }
    }

    /// A phase that needs one that failed has failed too, and so have those that need it.
    private func failHeirs() {
        while let i = waiting.firstIndex(where: { !$0.needs.isDisjoint(with: failed.keys) }) {
            let job = waiting.remove(at: i)
            failed[job.spec.key] = job.needs.sorted().lazy.compactMap { self.failed[$0] }.first
        }
    }

    private func perform(_ job: Job) {
        var error: (any Error)?
        do { try job.work() } catch let caught { error = caught }
        condition.lock()
        running -= 1
        // A damaged file of ours is no finding about a row: everything stops for it.
        if let problem = error as? Problem, problem.kind == .data, !problem.isDamage {
            failed[job.spec.key] = problem
        } else {
            done.insert(job.spec.key)
            // A worker that was stopped because another failed reports an interruption: the cause counts.
            if let error, failure == nil || (failure as? Problem)?.kind == .interrupted {
                failure = error
            }
        }
        condition.broadcast()
        condition.unlock()
    }
}
