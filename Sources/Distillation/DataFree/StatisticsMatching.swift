import Neural
import Torch

/// Matching of batch-norm statistics with momentum: the statistics of synthetic images in the teacher's layers must
/// be those of its training images (Yin et al. 2020, arXiv 1912.08795), over the accumulated pool rather
/// than in each batch (Fast-DFKD, Fang et al. 2022, arXiv 2112.15278; NAYER).
///
///     L = Σ_l ‖σ²_l − v_l‖₂ + ‖μ_l − m_l‖₂          norms over channels, neither squared nor averaged
///     first batch:   m = mean_b,  v = var_b
///     afterwards:    m = (1 − ρ) mean_b + ρ M,  v = (1 − ρ) var_b + ρ V
///     after a batch: M ← ρ M + (1 − ρ) mean_b,  V alike   (the first time M ← mean_b)
///
/// μ, σ² are the teacher's running statistics, mean_b and var_b (biased) those of the layer's input.
/// M and V are updated by a batch's last step only, are constants to the gradient, and are kept when a new
/// generator takes over.
public final class StatisticsMatching {
    /// ρ in [0, 1); 0: every batch for itself.
    public let momentum: Double
    private let means: [Tensor]
    private let variances: [Tensor]
    /// int64 [1]: whether M and V hold anything.
    private let isSet: Tensor

    /// - Parameter norms: the teacher's, as a pass comes to them.
    public init(_ norms: [BatchNorm], momentum: Double) {
        precondition(momentum >= 0 && momentum < 1, "momentum must be in [0, 1)")
        self.momentum = momentum
        means = norms.map { $0.runningMean.tensor.zerosLike() }
        variances = norms.map { $0.runningVar.tensor.zerosLike() }
        isSet = .zeros([1], dtype: .int64)
    }

    private var isFirst: Bool { isSet.item == 0 }

    /// What a checkpoint must hold.
    public var state: [(name: String, tensor: Tensor)] {
        [("set", isSet)] + means.enumerated().map { ("\($0).mean", $1) }
            + variances.enumerated().map { ("\($0).var", $1) }
    }

    /// What the statistics of one batch are compared with: made once per batch of images, as M and V
    /// stay while it is optimised.
    public struct Target {
        /// μ_l − ρ M_l and σ²_l − ρ V_l.
        fileprivate let means: [Tensor]
        fileprivate let variances: [Tensor]
        /// 1 − ρ, or 1 the first time.
        fileprivate let share: Double
    }

    /// - Parameter norms: the teacher's, in the order of the initialiser.
    public func target(_ norms: [BatchNorm]) -> Target {
        withoutGradient {
            let own = norms.map { ($0.runningMean.tensor, $0.runningVar.tensor) }
            if isFirst || momentum == 0 {
                return Target(means: own.map(\.0), variances: own.map(\.1), share: 1)
            }
            return Target(
                means: zip(own, means).map { $0.0 - $1 * momentum },
                variances: zip(own, variances).map { $0.1 - $1 * momentum },
                share: 1 - momentum)
        }
    }

    /// L, a scalar.
    public func loss(_ readings: [BatchProbe.Reading], _ target: Target) -> Tensor {
        precondition(readings.count == target.means.count, "the pass met other batch norms")
        // A norm's derivative at 0 is 0 in the engine, not 0/0.
        func distance(_ goal: Tensor, _ seen: Tensor) -> Tensor {
            (goal - (target.share == 1 ? seen : seen * target.share)).norm()
        }
        let parts = readings.indices.flatMap {
            [
                distance(target.variances[$0], readings[$0].variance),
                distance(target.means[$0], readings[$0].mean),
            ]
        }
        return Tensor.stacked(parts).sum()
    }

    /// Σ_l ‖σ²_l − var_l‖₂ + ‖μ_l − mean_l‖₂ of one batch in the norms that it went through, whatever M
    /// and V are: a scalar.
    static func loss(_ readings: [BatchProbe.Reading]) -> Tensor {
        Tensor.stacked(
            readings.flatMap {
                [
                    ($0.norm.runningVar.tensor - $0.variance).norm(),
                    ($0.norm.runningMean.tensor - $0.mean).norm(),
                ]
            }
        ).sum()
    }

    /// Updates M and V with the statistics of a batch's last step.
    public func update(_ readings: [BatchProbe.Reading]) {
        withoutGradient {
            let weight = isFirst ? 1 : 1 - momentum
            Updates.lerp(means, toward: readings.map { $0.mean.detached() }, by: weight)
            Updates.lerp(variances, toward: readings.map { $0.variance.detached() }, by: weight)
            isSet.fill(1)
        }
    }
}
