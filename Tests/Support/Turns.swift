import Testing

/// Lets one test of the engine run at a time in the whole process, across suites and test targets.
///
/// `swift test` runs the tests of all targets in one process at the same time, while LibTorch's
/// thread count, determinism switch and number of live handles belong to the process. Put
/// `.takesTurns` on every suite that uses the engine.
public struct TakesTurns: TestTrait, SuiteTrait, TestScoping {
    public var isRecursive: Bool { true }

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        // The trait may be on a suite and again on one inside it.
        if testCase == nil || Turn.isMine { return try await function() }
        await Turn.shared.take()
        do {
            try await Turn.$isMine.withValue(true) { try await function() }
        } catch {
            await Turn.shared.pass()
            throw error
        }
        await Turn.shared.pass()
    }
}

extension Trait where Self == TakesTurns {
    public static var takesTurns: Self { TakesTurns() }
}

/// A lock whose waiters suspend: a blocked thread per waiting test would stall the test runner.
private actor Turn {
    static let shared = Turn()
    @TaskLocal static var isMine = false

    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func take() async {
        if isTaken {
            await withCheckedContinuation { waiting.append($0) }
        } else {
            isTaken = true
        }
    }

    func pass() {
        if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
    }
}
