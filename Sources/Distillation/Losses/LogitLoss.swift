import Torch

/// A loss that depends on a network through its logits only, together with its gradient: one value
/// per sample and what each value changes by with that sample's logits.
///
/// Every loss of this folder has a gradient in closed form. Handing it over, rather than recording
/// a graph, is what lets a meta-learner weigh losses with a few matrix products, and makes a
/// training step of the loss a handful of operators. Sums and multiples of losses are losses.
/// What it does not do: second derivatives, and losses on features.
public struct LogitLoss {
    /// [N], float32 or float64, without history.
    public let values: Tensor
    /// [N, C], ∂values[i]/∂logits[i], without history.
    public let gradient: Tensor

    public init(values: Tensor, gradient: Tensor) {
        self.values = values
        self.gradient = gradient
    }

    /// The values [N] as a function of `logits`, for a training loss. Gradients can then be taken
    /// once, not twice.
    ///
    /// - Parameter logits: what the loss was computed from; bfloat16 under autocast is fine.
    public func attached(to logits: Logits) -> Tensor {
        values.attached(to: logits.tensor, gradient: gradient)
    }

    /// weight · loss, with the same weight for every sample.
    public static func * (loss: LogitLoss, weight: Double) -> LogitLoss {
        withoutGradient {
            LogitLoss(values: loss.values * weight, gradient: loss.gradient * weight)
        }
    }

    public static func + (a: LogitLoss, b: LogitLoss) -> LogitLoss {
        withoutGradient {
            LogitLoss(values: a.values + b.values, gradient: a.gradient + b.gradient)
        }
    }

    /// - Parameter weights: one per sample [N], taken as constants.
    public func weighted(by weights: Tensor) -> LogitLoss {
        withoutGradient {
            LogitLoss(values: values * weights, gradient: gradient * weights.unsqueezed(1))
        }
    }
}

extension LogitLoss {
    /// Cross-entropy with the given labels.
    ///
    ///     value     −Σ_c y_c log softmax(z)_c,   y = (1 − ε) onehot(label) + ε/C
    ///     gradient  softmax(z) − y
    ///
    /// - Parameters:
    ///   - labels: classes [N], int64.
    ///   - smoothing: ε of label smoothing, 0 ≤ ε < 1 (Szegedy et al. 2016, arXiv 1512.00567).
    public static func crossEntropy(
        _ logits: Logits, labels: Tensor, smoothing: Double = 0
    ) -> LogitLoss {
        withoutGradient {
            let lq = logits.logProbabilities().tensor  // [N, C]
            let label = labels.unsqueezed(1)  // [N, 1]
            let hit = Tensor.full([labels.count, 1], smoothing - 1, like: lq)
            var values = -lq.gathered(1, label).squeezed(1)  // [N]
            var gradient = lq.exp().scatterAdding(1, label, hit)  // [N, C]
            if smoothing > 0 {
                values = values * (1 - smoothing) - lq.mean(-1) * smoothing
                gradient = gradient - smoothing / Double(lq.shape[1])
            }
            return LogitLoss(values: values, gradient: gradient)
        }
    }

    /// Cross-entropy with soft labels y, rows that sum to 1: value −Σ_c y_c log softmax(z)_c,
    /// gradient softmax(z) − y.
    public static func crossEntropy(_ logits: Logits, _ targets: Probabilities) -> LogitLoss {
        withoutGradient {
            let lq = logits.logProbabilities().tensor  // [N, C]
            let y = targets.tensor
            return LogitLoss(values: -(y * lq).sum(-1), gradient: lq.exp() - y)
        }
    }
}

extension Tensor {
    /// `value` everywhere, with the dtype and device of `other`.
    static func full(_ shape: [Int], _ value: Double, like other: Tensor) -> Tensor {
        full(shape, value, dtype: other.dtype, device: other.device)
    }
}
