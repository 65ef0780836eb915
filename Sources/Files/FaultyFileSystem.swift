import Diagnostics
import Foundation
import Synchronization

/// The deterministic double of the `FileSystem` seam: real files, and one planned fault.
///
/// Calls are numbered from 0 in the order they are made. To test that a save is safe, run it once
/// without a fault, read `callCount`, then run it again with the fault at each of these numbers
/// and look at what is left. For tests only: the program makes one only when a test asks for it.
public final class FaultyFileSystem: FileSystem {
    public struct Fault: Equatable, Sendable {
        public enum Kind: Sendable {
            /// This one call is refused and later ones work: a full disk, a lost permission.
            case failure
            /// This call and all later ones are refused: the process was killed.
            case stop
            /// As `stop`, and what was written to files but not synced is lost: the machine lost
            /// power. (That a rename not followed by a sync of its folder may be lost as well is
            /// not imitated: a stop before it leaves the same.)
            case powerLoss
            /// The process kills itself at this call (SIGKILL): for tests from outside.
            case kill
        }

        public var kind: Kind
        /// The number of the call that meets the fault.
        public var call: Int
        /// Whether a write or append that meets the fault puts down the first half of its bytes.
        public var halfWritten: Bool

        public init(_ kind: Kind, atCall call: Int, halfWritten: Bool = false) {
            self.kind = kind
            self.call = call
            self.halfWritten = halfWritten
        }
    }

    private struct State {
        var calls: [String] = []
        /// How much of each written and not yet synced file a loss of power would leave.
        var durable: [String: Int] = [:]
        var stopped = false
    }

    private let base = LocalFileSystem()
    private let fault: Fault?
    private let state = Mutex(State())

    public init(_ fault: Fault? = nil) {
        self.fault = fault
    }

    /// The calls so far, those refused among them: `create b`, `rename b a`, ….
    public var calls: [String] { state.withLock { $0.calls } }

    /// How many calls there were so far.
    public var callCount: Int { state.withLock { $0.calls.count } }

    /// Whether the fault was met.
    public var hasFailed: Bool { fault.map { $0.call < callCount } ?? false }

    public func createDirectory(_ path: String) throws(Problem) {
        try enter("createDirectory", path)
        try base.createDirectory(path)
    }

    public func write(_ bytes: [UInt8], to path: String) throws(Problem) {
        try enter("write", path, dirty: path) { (half) throws(Problem) in
            if half { try base.write(Array(bytes.prefix(bytes.count / 2)), to: path) }
        }
        try base.write(bytes, to: path)
    }

    public func create(
        _ bytes: [UInt8], at path: String, permissions: mode_t?
    ) throws(Problem) {
        try enter("create", path, dirty: path) { (half) throws(Problem) in
            // A process that lives on removes the half itself.
            guard half, fault?.kind != .failure else { return }
            try base.create(
                Array(bytes.prefix(bytes.count / 2)), at: path, permissions: permissions)
        }
        try base.create(bytes, at: path, permissions: permissions)
    }

    public func append(_ bytes: [UInt8], to path: String) throws(Problem) {
        try enter("append", path, dirty: path) { (half) throws(Problem) in
            if half { try base.append(Array(bytes.prefix(bytes.count / 2)), to: path) }
        }
        try base.append(bytes, to: path)
    }

    public func truncate(_ path: String, to length: Int) throws(Problem) {
        try enter("truncate", path)
        try base.truncate(path, to: length)
    }

    public func sync(_ path: String) throws(Problem) {
        try enter("sync", path)
        try base.sync(path)
        state.withLock { $0.durable[path] = nil }
    }

    public func rename(_ source: String, to destination: String) throws(Problem) {
        try enter("rename", source + " " + destination)
        try base.rename(source, to: destination)
        state.withLock { state in
            // Content travels with the name; so do the files inside a renamed folder.
            var moved: [String: Int] = [:]
            for (path, length) in state.durable where path != destination {
                let isMoved = path == source || path.hasPrefix(source + "/")
                moved[isMoved ? destination + path.dropFirst(source.count) : path] = length
            }
            state.durable = moved
        }
    }

    public func remove(_ path: String) throws(Problem) {
        try enter("remove", path)
        try base.remove(path)
        state.withLock { state in
            state.durable = state.durable.filter {
                $0.key != path && !$0.key.hasPrefix(path + "/")
            }
        }
    }

    /// Counts the call and throws if the plan says so, after the part of it that still happens.
    private func enter(
        _ operation: String, _ subject: String, dirty: String? = nil,
        partly: (Bool) throws(Problem) -> Void = { (_) throws(Problem) in }
    ) throws(Problem) {
        let (number, stopped) = state.withLock { state in
            defer { state.calls.append(operation + " " + subject) }
            return (state.calls.count, state.stopped)
        }
        let problem = Problem(
            .io, "cannot \(operation): planned fault at call \(number)", at: .file(subject))
        if stopped { throw problem }
        let isHit = fault?.call == number
        if let dirty, !isHit || fault!.halfWritten {
            // A write cuts the file first, so nothing of the old content is left to be durable.
            let length = operation == "append" ? size(of: dirty) : 0
            state.withLock { state in
                state.durable[dirty] = min(state.durable[dirty] ?? length, length)
            }
        }
        guard let fault, isHit else { return }
        try partly(fault.halfWritten)
        if fault.kind == .kill { raise(SIGKILL) }
        if fault.kind == .failure { throw problem }
        let lost = state.withLock { state in
            state.stopped = true
            return state.durable
        }
        if fault.kind == .powerLoss {
            for (path, length) in lost { try? base.truncate(path, to: length) }
        }
        throw problem
    }

    private func size(of path: String) -> Int {
        var info = stat()
        return stat(path, &info) == 0 ? Int(info.st_size) : 0
    }
}
