import Foundation
import Torch

/// The virtual step of all weights of a network, by a directional derivative: for studies of how much
/// the last layer alone leaves out.
///
///     v    = ∇_θ M(θ')                                                one backward pass each for
///     a_ik = [ ℓ_k(i; θ + εv) − ℓ_k(i; θ − εv) ] / 2ε,  ε = h / ‖v‖    θ' and v, two forward passes
///
/// The central difference is a reconstruction: no released code has a full-network version. Its
/// error is O(h²) plus the rounding of ℓ over h.
///
/// The network's weights are moved during a call and set back to their very bits before it ends.
/// Losses must come from evaluation mode: batch statistics would couple the samples, and running
/// ones would move.
public final class FullNetworkVirtualStep: VirtualStep {
    public let currentLoss: Double
    public let sampleCount: Int

    private let weights: [Tensor]
    private let perturbation: Double
    private let groupLosses: () -> [Tensor]
    private let validationLoss: () -> Tensor
    private var step: [Tensor] = []

    /// - Parameters:
    ///   - network: the trainable tensors θ, leaves.
    ///   - sampleCount: B.
    ///   - perturbation: h above 0, the Euclidean length of the move εv. .01 suits float32 and
    ///     networks of usual size; 1e-4 float64.
    ///   - groupLosses: the K losses [B] of the group's samples at the network as it is when called,
    ///     recorded for gradients.
    ///   - validationLoss: M, a recorded scalar.
    public init(
        network: [Tensor], sampleCount: Int, perturbation: Double = 0.01,
        groupLosses: @escaping () -> [Tensor], validationLoss: @escaping () -> Tensor
    ) {
        weights = network
        self.sampleCount = sampleCount
        self.perturbation = perturbation
        self.groupLosses = groupLosses
        self.validationLoss = validationLoss
        currentLoss = withoutGradient { validationLoss().item }
    }

    public func prepare(weights mix: Tensor) {
        var total: Tensor?
        for (k, values) in groupLosses().enumerated() {
            let part = (values * mix.selected(1, k).to(values.dtype).detached()).sum()
            total = total.map { $0 + part } ?? part
        }
        // s is applied with η.
        step = Tensor.gradients(of: total!, with: weights)
    }

    public func loss(rate: Double) -> Double {
        if rate == 0 { return currentLoss }
        return moved(by: step, -rate / Double(sampleCount)) {
            withoutGradient { validationLoss().item }
        }
    }

    public func alignments(rate: Double) -> Tensor {
        let slope =
            rate == 0
            ? Tensor.gradients(of: validationLoss(), with: weights)
            : moved(by: step, -rate / Double(sampleCount)) {
                Tensor.gradients(of: validationLoss(), with: weights)
            }
        let norm = slope.reduce(0) { $0 + $1.to(.float64).squared().sum().item }.squareRoot()
        // A flat validation loss prefers nothing.
        let length = norm > 0 ? perturbation / norm : 0
        func losses(_ sign: Double) -> Tensor {
            moved(by: slope, sign * length) {
                withoutGradient { Tensor.stacked(groupLosses().map { $0.detached() }, 1) }
            }
        }
        let difference = losses(1) - losses(-1)  // [B, K]
        return length > 0 ? difference / (2 * length) : difference
    }

    /// Runs `body` with θ + scale · direction in place of θ.
    private func moved<Result>(
        by direction: [Tensor], _ scale: Double, _ body: () -> Result
    ) -> Result {
        precondition(direction.count == weights.count, "a virtual step needs prepared weights")
        let kept = weights.map { $0.detached().cloned() }
        for (weight, part) in zip(weights, direction) {
            weight.detached().addInPlace(part, alpha: scale)
        }
        defer { for (weight, old) in zip(weights, kept) { weight.detached().copy(from: old) } }
        return body()
    }
}
