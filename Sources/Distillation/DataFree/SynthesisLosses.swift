import Neural
import Torch

// Losses of synthetic images: scalars through which the gradient reaches the images.

/// −(1/B) Σ_i 1[argmax s_i = argmax t_i] KL( softmax(t_i) ‖ softmax(s_i) ): low for images on which the
/// student's probabilities differ from the teacher's although both predict the same class. At most 0; the mean is over the whole
/// batch B; gradients flow through both networks' logits. (NAYER, "decision adversarial distillation".)
public func adversarialLoss(teacher: Logits, student: Logits) -> Tensor {
    let agree = withoutGradient {
        teacher.predictions.equal(student.predictions).to(.float32)  // [B]
    }
    let t = teacher.logProbabilities().tensor
    let s = student.logProbabilities().tensor
    let divergence = (t.exp() * (t - s)).sum(-1)  // [B]
    return -((divergence * agree.to(t.dtype)).mean())
}

/// 1 − JS( softmax(t/T) ‖ softmax(s/T) ), batch mean, JS cut to [0, 1]: the competition of
/// DeepInversion's adaptive variant (Yin et al. 2020, arXiv 1912.08795). T = 3 there, from memory.
public func competitionLoss(
    teacher: Logits, student: Logits, temperature: Double = 3
) -> Tensor {
    let t = teacher.logProbabilities(temperature: temperature).tensor
    let s = student.logProbabilities(temperature: temperature).tensor
    let (p, q) = (t.exp(), s.exp())
    let mixture = ((p + q) * 0.5).clamped(1e-30, nil).log()
    let divergence = ((p * (t - mixture)).sum(-1) + (q * (s - mixture)).sum(-1)).mean() * 0.5
    return 1 - divergence.clamped(0, 1)
}

/// Total variation as DeepInversion's code has it: the Euclidean norms of the differences to the
/// neighbours across, below and on both diagonals, over the whole batch, added up.
/// - Parameter x: [B, C, H, W], both sides 2 or more.
public func totalVariation(_ x: Tensor) -> Tensor {
    let (h, w) = (x.shape[2], x.shape[3])
    func part(_ down: Int, _ right: Int, _ height: Int, _ width: Int) -> Tensor {
        x.narrowed(2, from: down, count: height).narrowed(3, from: right, count: width)
    }
    let across = part(0, 0, h, w - 1) - part(0, 1, h, w - 1)
    let below = part(0, 0, h - 1, w) - part(1, 0, h - 1, w)
    let diagonal = part(0, 0, h - 1, w - 1) - part(1, 1, h - 1, w - 1)
    let other = part(1, 0, h - 1, w - 1) - part(0, 1, h - 1, w - 1)
    return across.norm() + below.norm() + diagonal.norm() + other.norm()
}

/// Σ_c p̄_c log p̄_c of the batch's mean class probabilities: its minimum, −log C, is reached where
/// the teacher predicts all classes equally often. (DAFL, Chen et al. 2019, arXiv 1904.01186.)
public func informationEntropyLoss(_ logits: Logits) -> Tensor {
    let mean = logits.probabilities().tensor.mean(0)  // [C]
    return (mean * mean.clamped(1e-30, nil).log()).sum()
}

/// −(1/B) Σ_i ‖f_i‖₁ / D of the teacher's penultimate features [B, D]: real images activate them strongly. (DAFL.)
public func activationLoss(_ features: Tensor) -> Tensor { -(features.abs().mean()) }
