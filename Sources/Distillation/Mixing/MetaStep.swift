import Neural
import Torch

/// Rejects virtual steps that raise the validation loss.
public struct MixingGuard: Codable, Equatable, Sendable {
    /// The largest relative rise of the validation loss that is accepted, at least 0; infinity switches
    /// the guard off.
    public var tolerance: Double
    /// After a rise the virtual step's learning rate is multiplied by this, above 0 and below 1.
    public var shrink: Double
    /// How often the rate is lowered before the group is skipped; 0 skips at once.
    public var attempts: Int

    public init(tolerance: Double = 0.1, shrink: Double = 0.5, attempts: Int = 4) {
        self.tolerance = tolerance
        self.shrink = shrink
        self.attempts = attempts
    }
}

/// The hyper-parameters of one meta step.
public struct MetaStepOptions: Equatable, Sendable {
    /// Where the gradient of the validation loss is taken.
    public enum Point: String, Codable, CaseIterable, Sendable {
        /// After a step of the student with the present weights.
        case exact
        /// At the student as it is; half the cost, error O(η). The guard then has nothing to compare.
        case firstOrder = "first-order"
    }

    public var rule: MixingRule
    /// β̂, above 0: the step in units that do not depend on batch size and learning rate. The
    /// released code's step of 1500 is a β̂ of about 1.2 at its learning rate of .1.
    public var step: Double
    /// R, at least 1: steps per group, each with a virtual step of its own.
    public var repeats: Int
    public var point: Point
    public var `guard`: MixingGuard

    public init(
        rule: MixingRule = .convexClamp, step: Double = 1, repeats: Int = 5, point: Point = .exact,
        guard: MixingGuard = .init()
    ) {
        self.rule = rule
        self.step = step
        self.repeats = repeats
        self.point = point
        self.guard = `guard`
    }
}

/// One repeat of a meta step.
public struct MetaRepeat: Codable, Equatable, Sendable {
    public enum Verdict: String, Codable, Sendable {
        /// The parameters took the step.
        case taken
        /// They took it from a virtual step with a smaller learning rate.
        case shrunk
        /// No learning rate that was tried kept the validation loss down: nothing changed.
        case skipped
        /// The step would have made a parameter infinite or not a number: nothing changed.
        case notFinite = "not-finite"
    }

    public let verdict: Verdict
    /// η of the virtual step that counted; 0 for the first-order variant.
    public let rate: Double
    /// Mean validation cross-entropy of the student as it is, and at that virtual step.
    public let loss: Double
    public let virtualStepLoss: Double
}

public struct MetaStepResult {
    /// The new α [B, P], of the dtype of the old.
    public let parameters: Tensor
    /// a_i0 [B] at the student as it is.
    public let labelAlignment: Tensor
    /// One entry per repeat that was tried: after a skip the rest would be the same.
    public let repeats: [MetaRepeat]
}

/// The meta step: R times α ← P( α + β̂ (∂w/∂α)ᵀ a(w(α)) ), with a the alignments at the virtual step.
///
/// It is gradient descent on M with a step of β̂/(η s), which takes the size of the student's
/// step out of that of the meta step (the normalisation is ours; the papers' code uses large
/// constants instead).
///
/// - Parameters:
///   - parameters: α [B, P] of the group's samples.
///   - rate: η of the virtual step, see `virtualStepRate`.
public func metaStep(
    _ parameters: Tensor, _ virtualStep: any VirtualStep, rate: Double, options: MetaStepOptions
) -> MetaStepResult {
    let rule = options.rule
    let plain = virtualStep.alignments(rate: 0)  // [B, K]
    var current = parameters.to(plain.dtype)
    var rate = rate
    var repeats: [MetaRepeat] = []
    for _ in 0..<options.repeats {
        var verdict = MetaRepeat.Verdict.taken
        var alignments = plain
        var loss = virtualStep.currentLoss
        if options.point == .firstOrder {
            rate = 0
        } else {
            virtualStep.prepare(weights: rule.weights(current))
            let limit = virtualStep.currentLoss * (1 + options.guard.tolerance)
            loss = virtualStep.loss(rate: rate)
            var attempts = 0
            // Written so that not-a-number is too high as well.
            while !(loss <= limit), attempts < options.guard.attempts {
                rate *= options.guard.shrink
                attempts += 1
                loss = virtualStep.loss(rate: rate)
                verdict = .shrunk
            }
            if loss <= limit {
                alignments = virtualStep.alignments(rate: rate)
            } else {
                verdict = .skipped
            }
        }
        if verdict != .skipped {
            let next = rule.projected(
                current + rule.pulledBack(alignments, at: current) * options.step)
            if next.isFinite().all().item == 1 { current = next } else { verdict = .notFinite }
        }
        repeats.append(
            MetaRepeat(
                verdict: verdict, rate: rate, loss: virtualStep.currentLoss, virtualStepLoss: loss))
        // Nothing has changed, so that nothing else can come of another try.
        if verdict == .skipped || verdict == .notFinite { break }
    }
    return MetaStepResult(
        parameters: current.to(parameters.dtype), labelAlignment: plain.selected(1, 0),
        repeats: repeats)
}

/// η of the virtual step for a student that trains with `options` at learning rate `rate`: with
/// Nesterov momentum a gradient moves the weights by (1 + μ) η at once, otherwise by η. Weight
/// decay has no part in it.
///
/// For Adam the step is not a multiple of the gradient; the virtual step is then that of plain SGD
/// with the same rate, an approximation that nobody has examined.
public func virtualStepRate(_ rate: Double, _ options: OptimizerOptions) -> Double {
    options.kind == .sgd && options.nesterov ? rate * (1 + options.momentum) : rate
}
