import Distillation
import Neural
import Randomness
import Torch

/// Mixup within a batch, as the semi-supervised methods have it: λ = max(l, 1 − l) with one l ~ Beta(α, α), and a
/// partner for each row, so that every row stays mostly itself.
struct SampleMixing {
    /// ½ to 1.
    let lambda: Double
    /// Of each row another one, or itself: a permutation, int64 [rows].
    let partners: Tensor

    init(
        rows: Int, alpha: Double, seed: UInt64, epoch: Int, step: Int, device: Device
    ) {
        var draw = Draw(seed: seed, .mixup, epoch: epoch, step: step)
        var order = Array(0..<rows)
        order.permute(&draw)
        let drawn = draw.beta(alpha, alpha)
        lambda = max(drawn, 1 - drawn)
        partners = Tensor(order, [rows]).to(device)
    }

    /// - Parameter values: [rows, …].
    func callAsFunction(_ values: Tensor) -> Tensor {
        mixed(values, lambda, partners: partners)
    }

    /// What a network makes of mixed inputs; of texts, whose mixed characters would mean nothing, of mixed
    /// features.
    func logits(
        _ network: any Classifier, _ inputs: Tensor, mode: Mode, isText: Bool
    ) -> Logits {
        guard isText else { return Logits(network(self(inputs), mode: mode)) }
        let features = network.features(inputs, mode: mode)
        return Logits(network.logits(fromFeatures: self(features)))
    }
}
