import Torch

/// A test left tensors or generators behind.
public struct Leak: Error, CustomStringConvertible {
    public let handles: Int
    public var description: String { "\(handles) engine handles were not freed" }
}

/// Runs `body` and throws `Leak` if an engine handle that it made is still alive at the end. Every
/// test that makes tensors runs inside one.
///
/// `body` must do its engine work on the calling thread: handles are counted by thread, so that
/// tests that run at the same time, in this target or another, cannot disturb the count.
public func withNoLeaks<Result>(_ body: () throws -> Result) throws -> Result {
    let before = Engine.liveHandlesOfThread
    let result = try body()
    let left = Engine.liveHandlesOfThread - before
    if left != 0 { throw Leak(handles: left) }
    return result
}
