import Dispatch
import Foundation
import Synchronization

/// Work split over processors with results in the order of the items, so that no result depends
/// on how many workers there were.
public enum Parallel {
    /// `body` of 0..<count, at most `workers` at a time. One worker runs on the caller's thread.
    public static func map<Result: Sendable>(
        _ count: Int, workers: Int = ProcessInfo.processInfo.activeProcessorCount,
        _ body: @Sendable (Int) -> Result
    ) -> [Result] {
        guard count > 1, workers > 1 else { return (0..<count).map(body) }
        // The next item, and the results that are there.
        let work = Mutex((next: 0, results: [Result?](repeating: nil, count: count)))
        DispatchQueue.concurrentPerform(iterations: min(workers, count)) { _ in
            while let item = take(from: work, count) {
                let result = body(item)
                work.withLock { $0.results[item] = result }
            }
        }
        return work.withLock { $0.results }.compactMap(\.self)
    }

    private static func take<Result>(
        from work: borrowing Mutex<(next: Int, results: [Result?])>, _ count: Int
    ) -> Int? {
        work.withLock { work in
            guard work.next < count else { return nil }
            defer { work.next += 1 }
            return work.next
        }
    }
}
