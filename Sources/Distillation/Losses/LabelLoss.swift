import Diagnostics
import Torch

/// A loss against the given labels. Of the three, cross-entropy learns fastest and memorises wrong
/// labels; the other two hold back where the network disagrees with a label.
///
/// In the formulas y is the label's class and p = softmax(z):
///
///     cross-entropy  −log p_y, or smoothed                gradient  p − y
///     gce            (1 − p_y^q)/q                        p_y^q (p − onehot)
///     sce            −α log p_y − β A (1 − p_y)           (α − β A p_y)(p − onehot)
///
/// Generalised cross-entropy: Zhang and Sabuncu, "Generalized Cross Entropy Loss for Training Deep
/// Neural Networks with Noisy Labels", 2018, arXiv 1805.07836, eq. 6; q → 0 is cross-entropy, 1 is
/// the mean absolute error (over 2). Without the paper's truncation.
/// Symmetric cross-entropy: Wang et al., "Symmetric Cross Entropy for Robust Learning with Noisy
/// Labels", 2019, arXiv 1908.06112, eq. 7: α CE(y, p) + β CE(p, y) with log 0 := A.
/// Settings of the papers are quoted from memory.
public enum LabelLoss: Equatable, Sendable {
    /// Label smoothing ε, 0 ≤ ε < 1; 0 is plain.
    case crossEntropy(smoothing: Double = 0)
    /// 0 < q ≤ 1. .7 is the paper's choice for all its data sets; lower learns faster, higher
    /// resists more noise.
    case generalised(q: Double = 0.7)
    /// α ≥ 0 weighs cross-entropy, which learns; β ≥ 0 the reverse, which resists; A < 0. The paper's
    /// settings for ten classes are α = .1, β = 1; many classes want more α (6 and .1 for CIFAR-100).
    case symmetric(alpha: Double = 0.1, beta: Double = 1, logZero: Double = -4)

    /// - Parameter labels: classes [N], int64.
    public func callAsFunction(_ logits: Logits, labels: Tensor) -> LogitLoss {
        if case .crossEntropy(let smoothing) = self {
            return .crossEntropy(logits, labels: labels, smoothing: smoothing)
        }
        return withoutGradient {
            let lp = logits.logProbabilities().tensor  // [N, C]
            let label = labels.unsqueezed(1)  // [N, 1]
            let hit = lp.gathered(1, label)  // log p_y, [N, 1]
            let values: Tensor
            let factor: Tensor  // [N, 1]
            switch self {
            case .crossEntropy: preconditionFailure("returned above")
            case .generalised(let q):
                values = (hit * q).expm1() / -q
                factor = (hit * q).exp()
            case .symmetric(let alpha, let beta, let logZero):
                values = hit * -alpha + hit.expm1() * (beta * logZero)
                factor = hit.exp() * (-beta * logZero) + alpha
            }
            let minusOne = Tensor.full([labels.count, 1], -1, like: lp)
            return LogitLoss(
                values: values.squeezed(1),
                gradient: lp.exp().scatterAdding(1, label, minusOne) * factor)
        }
    }

    /// The same values as a function of `logits`, for training. Cross-entropy by the engine's own
    /// operator, which has its gradient in closed form itself.
    ///
    /// - Returns: [N]
    public func trainingLoss(_ logits: Logits, labels: Tensor) -> Tensor {
        if case .crossEntropy(let smoothing) = self {
            return Distillation.crossEntropy(logits, labels: labels, smoothing: smoothing)
        }
        return self(logits, labels: labels).attached(to: logits)
    }

    /// What the run's metrics call it.
    public var name: String { code.rawValue }

    private var code: Name {
        switch self {
        case .crossEntropy: .crossEntropy
        case .generalised: .gce
        case .symmetric: .sce
        }
    }
}

// In a recipe: `loss: gce`, or `loss: {name: sce, alpha: 0.1, beta: 1}`.
extension LabelLoss: Codable {
    enum Name: String, Codable, CaseIterable {
        case crossEntropy = "cross-entropy"
        case gce, sce
    }
    private enum Keys: String, CodingKey {
        case name, smoothing, q, alpha, beta
        case logZero = "log-zero"
    }

    public init(from decoder: any Decoder) throws {
        let (name, values) = try NamedLoss.decode(Name.self, Keys.name, from: decoder)
        func number(
            _ key: Keys, _ standard: Double, _ expected: String, _ isValid: (Double) -> Bool
        ) throws -> Double {
            try NamedLoss.number(key, or: standard, in: values, expected, where: isValid)
        }
        switch name {
        case .crossEntropy:
            self = .crossEntropy(
                smoothing: try number(.smoothing, 0, "0 <= smoothing < 1") { 0 <= $0 && $0 < 1 })
        case .gce:
            self = .generalised(
                q: try number(.q, 0.7, "above 0 and at most 1") { 0 < $0 && $0 <= 1 })
        case .sce:
            let alpha = try number(.alpha, 0.1, "0 or more") { $0 >= 0 && $0.isFinite }
            self = .symmetric(
                alpha: alpha,
                beta: try number(.beta, 1, alpha > 0 ? "0 or more" : "above 0, as alpha is 0") {
                    $0 >= 0 && $0.isFinite && alpha + $0 > 0
                },
                logZero: try number(.logZero, -4, "below 0") { $0 < 0 && $0.isFinite })
        }
    }

    public func encode(to encoder: any Encoder) throws {
        if self == .crossEntropy() {
            var value = encoder.singleValueContainer()
            return try value.encode(name)
        }
        var values = encoder.container(keyedBy: Keys.self)
        try values.encode(name, forKey: .name)
        switch self {
        case .crossEntropy(let smoothing): try values.encode(smoothing, forKey: .smoothing)
        case .generalised(let q): try values.encode(q, forKey: .q)
        case .symmetric(let alpha, let beta, let logZero):
            try values.encode(alpha, forKey: .alpha)
            try values.encode(beta, forKey: .beta)
            try values.encode(logZero, forKey: .logZero)
        }
    }
}
