import Torch

/// What several students that learn side by side are trained towards.
///
/// Each learner has loss terms of its own, which may look at what the others said about the same
/// inputs, never changing them: whoever writes a peer objective detaches every output but the
/// learner's own. One student alone is the special case that ``Alone`` makes of an ``Objective``.
public protocol PeerObjective: AnyObject {
    /// - Parameters:
    ///   - learner: whose losses.
    ///   - outputs: of every learner for the same inputs, in order.
    ///   - batch: with the labels that this learner was given.
    func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: LabelledBatch
    ) -> Losses
    /// Called before the first step of an epoch, also when a run resumes inside it.
    func begin(epoch: Int, of epochs: Int)
    /// Called before each step, with its number in the epoch.
    func prepare(epoch: Int, step: Int)
    var updateOrder: UpdateOrder { get }
    /// Tensors that are trained beside that learner's network, by its optimizer; they are in `state` too.
    func parameters(of learner: Int) -> [(name: String, tensor: Tensor)]
    /// Tensors that a checkpoint must hold, in a fixed order; restored in place.
    var state: [(name: String, tensor: Tensor)] { get }
}

extension PeerObjective {
    public func begin(epoch: Int, of epochs: Int) {}
    public func prepare(epoch: Int, step: Int) {}
    public var updateOrder: UpdateOrder { .simultaneous }
    public func parameters(of learner: Int) -> [(name: String, tensor: Tensor)] { [] }
    public var state: [(name: String, tensor: Tensor)] { [] }
}

/// What a learner sees of those that stand before it in the same step.
public enum UpdateOrder: String, Codable, Sendable, CaseIterable {
    /// Everybody's outputs from before any update of the step: one forward pass each.
    case simultaneous
    /// Outputs after their update, computed once more: one forward pass more for all but the last.
    case recomputed
}

/// One student, as the only learner.
public final class Alone: PeerObjective {
    private let objective: any Objective

    public init(_ objective: any Objective) { self.objective = objective }

    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: LabelledBatch
    ) -> Losses {
        objective.losses(outputs[learner], batch)
    }

    public func prepare(epoch: Int, step: Int) { objective.prepare(epoch: epoch, step: step) }

    public var state: [(name: String, tensor: Tensor)] { objective.state }
}
