import Diagnostics
import Torch

/// How the names and shapes of a set of tensors compare with those of a module.
public struct StateMatch: Equatable, Sendable {
    public struct Mismatch: Equatable, Sendable {
        public var name: String
        public var found: String
        public var expected: String
    }

    /// Present on both sides with equal shape.
    public var matched: [String] = []
    /// The module has them, the tensors do not.
    public var missing: [String] = []
    /// The tensors have them, the module does not; sorted.
    public var unexpected: [String] = []
    /// Present on both sides, but the shape or the kind of number differs.
    public var mismatched: [Mismatch] = []

    public var isComplete: Bool { missing.isEmpty && unexpected.isEmpty && mismatched.isEmpty }
}

extension Module {
    /// Compares without changing anything. Floating-point tensors of any width fit a floating-point
    /// parameter; integers fit integers.
    public func matchState(_ tensors: [String: Tensor]) -> StateMatch {
        var match = StateMatch()
        let own = state
        for (name, tensor) in own {
            guard let other = tensors[name] else {
                match.missing.append(name)
                continue
            }
            let sameKind = tensor.dtype.isFloatingPoint == other.dtype.isFloatingPoint
            if other.shape == tensor.shape, sameKind {
                match.matched.append(name)
            } else {
                match.mismatched.append(
                    .init(name: name, found: described(other), expected: described(tensor)))
            }
        }
        match.unexpected = Set(tensors.keys).subtracting(own.map(\.name)).sorted()
        return match
    }

    /// What `loadState` checks, without copying anything.
    @discardableResult
    public func checkState(
        _ tensors: [String: Tensor], source: String? = nil
    ) throws(Problem) -> StateMatch {
        let match = matchState(tensors)
        guard match.isComplete else { throw .stateDiffers(match, source: source) }
        return match
    }

    /// Copies `tensors` into the parameters and buffers, all or nothing.
    ///
    /// Strict: every name of the module must be there with its shape, and no other. Throws a
    /// `Problem` with the first difference and the number of all, and changes nothing then.
    /// - Parameter source: where the tensors come from, for the message (a path).
    @discardableResult
    public func loadState(
        from tensors: [String: Tensor], source: String? = nil
    ) throws(Problem) -> StateMatch {
        let match = try checkState(tensors, source: source)
        withoutGradient {
            for (name, tensor) in state { tensor.copy(from: tensors[name]!) }
        }
        return match
    }

    /// Copies the state of a module of the same architecture. Traps if it is not.
    public func copyState(from other: some Module) {
        let own = state
        let others = other.state
        precondition(own.map(\.name) == others.map(\.name), "the architectures differ")
        withoutGradient {
            for (mine, theirs) in zip(own, others) { mine.tensor.copy(from: theirs.tensor) }
        }
    }
}

// MARK: - Freezing for a while

extension Module {
    /// Runs `body` while no parameter asks for gradients: passes through the module are then recorded
    /// for their inputs alone, and backward does not compute what nobody wants.
    public func withFrozenParameters<Result>(_ body: () throws -> Result) rethrows -> Result {
        let asking = parameters.map(\.tensor).filter(\.requiresGrad)
        for tensor in asking { tensor.requiresGrad = false }
        defer { for tensor in asking { tensor.requiresGrad = true } }
        return try body()
    }
}

// MARK: - Layout and device

extension Module {
    /// Lays the weights of 2-D convolutions out with their channels innermost. Values, names and
    /// identities stay; activations follow when the input is channels-last. Before the first step.
    public func toChannelsLast() {
        for (_, tensor) in parameters where tensor.rank == 4 { tensor.layOutChannelsLast() }
    }

    /// Moves parameters and buffers, which keep their identities. Before the first step.
    public func move(to device: Device) {
        for (_, tensor) in state { tensor.move(to: device) }
    }
}

private func described(_ tensor: Tensor) -> String { "\(tensor.dtype) \(tensor.shape)" }
