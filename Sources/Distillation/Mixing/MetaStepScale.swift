import Neural
import Torch

/// The units of a meta step.
///
/// A network with features c h and last-layer weights W/c says the same as one with h and W, but its
/// alignments are those of h times c² (but for the bias's part). With β̂ the same, one kind of network
/// hardly moves its mixing weights and another throws them from border to border.
public enum MetaStepScale: String, Codable, CaseIterable, Sendable {
    /// As the features and alignments are, which is the papers' step.
    case none
    /// Features in units of their length (`MixingValidation.featureLength`), W alone in the virtual step,
    /// and β̂ in units of the alignments at the student's first meta step (`MetaStepUnit`).
    case auto
}

extension MixingValidation {
    /// The root mean square of ‖h_j‖ over the validation samples; 1 where all features are zero.
    public var featureLength: Double {
        let mean = withoutGradient { features.to(.float64).squared().sum(1).mean().item }
        return mean > 0 ? mean.squareRoot() : 1
    }

    /// The same samples with features h/`length`; the logits stay, as if W were as much longer.
    ///
    /// With `featureLength` the kernel without a bias becomes κ(h, h') = h·h'/(mean ‖h‖²), in which neither
    /// the scale of the features nor that of W has a part.
    public func inUnits(of length: Double) -> MixingValidation {
        MixingValidation(
            features: withoutGradient { features * (1 / length) }, logits: Logits(logits),
            labels: labels)
    }
}

extension MixingGroup {
    /// The same samples with features h/`length`.
    public func inUnits(of length: Double) -> MixingGroup {
        MixingGroup(
            features: withoutGradient { features * (1 / length) }, gradients: gradients)
    }
}

/// What a step β̂ is multiplied by: u / median |a_ik| over the samples and losses of the first group that a
/// meta step sees, at the student as it is. It stays what it is from then on, so that steps become smaller
/// as the validation loss does.
public final class MetaStepUnit {
    /// The factor [1], float64; not-a-number before the first meta step.
    public let factor: Tensor
    private let typical: Double

    /// - Parameter typical: u above 0, what a step of β̂ = 1 moves a weight by at the median alignment.
    public init(typical: Double) {
        self.typical = typical
        factor = .full([1], .nan, dtype: .float64)
    }

    /// The factor; fixed by `alignments` [B, K] if this is the first call that can.
    ///
    /// - Returns: 1 as long as the median is zero or not finite.
    public func value(_ alignments: @autoclosure () -> Tensor) -> Double {
        let known = factor.item
        if known.isFinite { return known }
        let sizes = alignments().doubles().map(abs).sorted()
        let found = typical / sizes[sizes.count / 2]
        guard found.isFinite, found > 0 else { return 1 }
        factor.fill(found)
        return found
    }
}
