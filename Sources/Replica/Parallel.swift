import Dispatch
import Foundation

/// Work split over processors with results in the order of the items, so that no result depends
/// on how many workers there were.
public enum Parallel {
    /// `body` of 0..<count, at most `workers` at a time. One worker runs on the caller's thread.
    public static func map<Result: Sendable>(
        _ count: Int, workers: Int = ProcessInfo.processInfo.activeProcessorCount,
        _ body: @Sendable (Int) -> Result
    ) -> [Result] {
        guard count > 1, workers > 1 else { return (0..<count).map(body) }
        let shared = Shared<Result>(count)
        DispatchQueue.concurrentPerform(iterations: min(workers, count)) { _ in
            while let item = shared.take() { shared.put(body(item), item) }
        }
        return shared.results.compactMap(\.self)
    }

    private final class Shared<Result: Sendable>: @unchecked Sendable {
        // Both are touched only while `lock` is held, or after all work is done.
        private let lock = NSLock()
        private var next = 0
        private(set) var results: [Result?]

        init(_ count: Int) { results = Array(repeating: nil, count: count) }

        func take() -> Int? {
            lock.withLock {
                guard next < results.count else { return nil }
                defer { next += 1 }
                return next
            }
        }

        func put(_ result: Result, _ item: Int) { lock.withLock { results[item] = result } }
    }
}
