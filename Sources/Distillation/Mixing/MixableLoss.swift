import Torch

/// A loss that can be mixed sample by sample: one value per sample of the student's logits, and its
/// gradient with respect to them.
///
/// Any loss that the logits decide can take part. Losses on features (relations, feature maps) do
/// not reach the last layer and cannot.
public struct MixableLoss {
    /// What metrics call it.
    public let name: String
    /// ℓ(i) [B], recorded for gradients.
    public let values: (Logits, LabelledBatch) -> Tensor
    private let closedForm: ((Logits, LabelledBatch) -> Tensor)?

    /// A loss whose gradient autograd finds, through the logits alone.
    public init(_ name: String, _ values: @escaping (Logits, LabelledBatch) -> Tensor) {
        self.name = name
        self.values = values
        closedForm = nil
    }

    /// - Parameter gradient: ∂ℓ(i)/∂z_i [B, C] in closed form.
    public init(
        _ name: String, _ values: @escaping (Logits, LabelledBatch) -> Tensor,
        gradient: @escaping (Logits, LabelledBatch) -> Tensor
    ) {
        self.name = name
        self.values = values
        closedForm = gradient
    }

    /// ∂ℓ(i)/∂z_i [B, C], float32 (float64 for such logits), not divided by B.
    public func gradient(_ logits: Logits, _ batch: LabelledBatch) -> Tensor {
        let own = Logits(lossPrecision(logits.tensor))
        return withPrecision(.float32, on: own.tensor.device) {
            if let closedForm { return withoutGradient { closedForm(own, batch) } }
            let leaf = own.tensor.cloned()
            leaf.requiresGrad = true
            return Tensor.gradients(of: values(Logits(leaf), batch).sum(), with: [leaf])[0]
        }
    }

    /// CE(z, y): ∂/∂z = softmax(z) − q, with the labels q smoothed by ε.
    public static func labels(smoothing: Double = 0) -> MixableLoss {
        MixableLoss(
            "cross-entropy",
            { logits, batch in crossEntropy(logits, labels: batch.labels, smoothing: smoothing) },
            gradient: { logits, batch in
                let p = logits.probabilities().tensor
                let hits = Tensor.full(
                    [batch.labels.count, 1], smoothing - 1, dtype: p.dtype, device: p.device)
                let difference = p.scatterAdding(1, batch.labels.unsqueezed(1), hits)
                return smoothing == 0 ? difference : difference - smoothing / Double(p.shape[1])
            })
    }

    /// T² KL( softmax(t/T) ‖ softmax(z/T) ): ∂/∂z = T (softmax(z/T) − softmax(t/T)).
    ///
    /// - Parameter teacher: logits [B, C] for the same inputs.
    public static func teacher(
        _ name: String = "distillation", temperature: Double,
        _ teacher: @escaping (LabelledBatch) -> Logits
    ) -> MixableLoss {
        MixableLoss(
            name,
            { logits, batch in
                distillationLoss(
                    student: logits, teacher: teacher(batch), temperature: temperature)
            },
            gradient: { logits, batch in
                let own = logits.probabilities(temperature: temperature).tensor
                let target = teacher(batch).probabilities(temperature: temperature).tensor
                return (own - target.to(own.dtype)) * temperature
            })
    }
}

/// The mix itself: term k is w_ik ℓ_k(i), so that the sum of the terms' means is
/// (1/B) Σ_i Σ_k w_ik ℓ_k(i). No gradient reaches the weights.
///
/// - Parameters:
///   - values: K losses [B], each with its name.
///   - weights: w [B, K].
public func mixed(_ values: [(name: String, values: Tensor)], weights: Tensor) -> Losses {
    let fixed = weights.detached()
    return Losses(
        values.enumerated().map { k, loss in
            Losses.Term(loss.name, loss.values * fixed.selected(1, k).to(loss.values.dtype))
        })
}
