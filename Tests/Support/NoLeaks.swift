import Foundation
import Torch

/// A test left tensors or generators behind.
public struct Leak: Error, CustomStringConvertible {
    public let handles: Int
    public var description: String { "\(handles) engine handles were not freed" }
}

/// All test targets run in one process, and thread count, determinism and the number of handles
/// are the process's: tests of the engine take turns.
private let turn = NSRecursiveLock()

/// Runs `body` alone among all callers of this function and throws `Leak` if an engine handle that
/// it made is still alive at the end. Every test that makes tensors runs inside one.
///
/// `body` must do its engine work on the calling thread: handles are counted by thread, so that a
/// test elsewhere that does not use this function cannot disturb the count.
public func withNoLeaks<Result>(_ body: () throws -> Result) throws -> Result {
    turn.lock()
    defer { turn.unlock() }
    let before = Engine.liveHandlesOfThread
    let result = try body()
    let left = Engine.liveHandlesOfThread - before
    if left != 0 { throw Leak(handles: left) }
    return result
}
