import Dispatch
import Synchronization

/// Makes the next few batches of a plan on a background thread, so that the training thread never
/// waits for pixels. The batches, their order and their bytes are those of
/// ``BatchPlan/batch(epoch:step:view:)``.
///
/// A serial queue works on at most `depth` batches ahead; each one taken queues one more. Letting
/// go of the prefetcher stops it: what is queued then ends at once.
public final class Prefetcher: Sendable {
    private let work: Work
    private let queue = DispatchQueue(label: "limbeck.prefetcher", qos: .userInitiated)

    /// - Parameters:
    ///   - epoch: first epoch; `step`: first step in it, `stepsPerEpoch` meaning the next epoch's 0.
    ///   - epochs: one past the last epoch.
    ///   - depth: batches made ahead, at least 1.
    public init(
        _ plan: BatchPlan, epoch: Int = 0, step: Int = 0, epochs: Int, depth: Int = 3
    ) {
        precondition(depth > 0 && 0...plan.stepsPerEpoch ~= step)
        work = Work(
            plan, first: epoch * plan.stepsPerEpoch + step, end: epochs * plan.stepsPerEpoch)
        for _ in 0..<depth { produce() }
    }

    deinit { work.state.withLock { $0.stopped = true } }

    /// The next batch, waiting for it if need be; nil after the last.
    public func next() -> Batch? {
        work.ready.wait()
        let batch = work.state.withLock { $0.batches.removeFirst() }
        produce()
        return batch
    }

    private func produce() {
        queue.async { [work] in work.produce() }
    }

    /// What the queue's blocks hold on to; they must not keep the prefetcher itself alive.
    private final class Work: Sendable {
        struct State {
            var next: Int
            var stopped = false
            /// Nil marks the end.
            var batches: [Batch?] = []
        }

        let plan: BatchPlan
        let end: Int
        let state: Mutex<State>
        /// Counts the batches that wait.
        let ready = DispatchSemaphore(value: 0)

        init(_ plan: BatchPlan, first: Int, end: Int) {
            self.plan = plan
            self.end = end
            state = Mutex(State(next: first))
        }

        func produce() {
            let position = state.withLock { state -> Int? in
                defer { state.next += 1 }
                return state.stopped ? nil : state.next
            }
            guard let position else { return }
            let steps = plan.stepsPerEpoch
            let batch =
                position < end ? plan.batch(epoch: position / steps, step: position % steps) : nil
            state.withLock { $0.batches.append(batch) }
            ready.signal()
        }
    }
}
