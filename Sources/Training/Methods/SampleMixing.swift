import Distillation
import Neural
import Torch

/// Mixup within a batch, as the semi-supervised methods have it: λ = max(l, 1 − l) with one l ~ Beta(α, α), and a
/// partner for each row, so that every row stays mostly itself.
struct SampleMixing {
    /// λ is ½ to 1.
    let draw: MixupDraw

    init(rows: Int, alpha: Double, seed: UInt64, epoch: Int, step: Int) {
        let drawn = MixupDraw(samples: rows, alpha: alpha, seed: seed, epoch: epoch, step: step)
        draw = MixupDraw(lambda: max(drawn.lambda, 1 - drawn.lambda), partners: drawn.partners)
    }

    /// - Parameter values: [rows, …].
    func callAsFunction(_ values: Tensor) -> Tensor { draw.mixed(values) }

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
