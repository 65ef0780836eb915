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
    public let values: (Logits, TrainingBatch) -> Tensor
    private let closedForm: ((Logits, TrainingBatch) -> Tensor)?

    /// A loss whose gradient autograd finds, through the logits alone.
    public init(_ name: String, _ values: @escaping (Logits, TrainingBatch) -> Tensor) {
        self.name = name
        self.values = values
        closedForm = nil
    }

    /// - Parameter gradient: ∂ℓ(i)/∂z_i [B, C] in closed form.
    public init(
        _ name: String, _ values: @escaping (Logits, TrainingBatch) -> Tensor,
        gradient: @escaping (Logits, TrainingBatch) -> Tensor
    ) {
        self.name = name
        self.values = values
        closedForm = gradient
    }

    /// ∂ℓ(i)/∂z_i [B, C], float32 (float64 for such logits), not divided by B.
    public func gradient(_ logits: Logits, _ batch: TrainingBatch) -> Tensor {
        let own = Logits(lossPrecision(logits.tensor))
        return withPrecision(.float32, on: own.tensor.device) {
            if let closedForm { return withoutGradient { closedForm(own, batch) } }
            let leaf = own.tensor.cloned()
            leaf.requiresGrad = true
            return Tensor.gradients(of: values(Logits(leaf), batch).sum(), with: [leaf])[0]
        }
    }

    /// A loss against the given labels.
    public static func labels(
        _ loss: LabelLoss = .crossEntropy(), name: String? = nil
    ) -> MixableLoss {
        MixableLoss(
            name ?? loss.name, { loss.trainingLoss($0, labels: $1.labels) },
            gradient: { loss($0, labels: $1.labels).gradient })
    }

    /// A loss towards a teacher at temperature T, with the factor T².
    ///
    /// - Parameter teacher: logits [B, C] for the same inputs.
    public static func teacher(
        _ name: String = "distillation", _ loss: TeacherLoss = .divergence(.kl),
        temperature: Double, _ teacher: @escaping (TrainingBatch) -> Logits
    ) -> MixableLoss {
        MixableLoss(
            name,
            { logits, batch in
                loss.trainingLoss(
                    teacher: teacher(batch), student: logits, labels: batch.labels,
                    temperature: temperature)
            },
            gradient: { logits, batch in
                loss(
                    teacher: teacher(batch), student: logits, labels: batch.labels,
                    temperature: temperature
                ).gradient
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
