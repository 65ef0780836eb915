import Torch

/// The terms of a training loss, in order, each with its weight and one value per sample.
///
/// The only mean over a batch in Limbeck is the one in `total`: `mean` against `batchmean`, the
/// commonest mistake of distillation code, cannot be made. The loop logs every term and names
/// the culprit when one is not finite.
public struct Losses {
    public struct Term {
        public let name: String
        public let weight: Double
        /// One value per sample [N], or per selected sample [n]: the mean is over those that are there.
        public let values: Tensor

        public init(_ name: String, weight: Double = 1, _ values: Tensor) {
            self.name = name
            self.weight = weight
            self.values = values
        }
    }

    public let terms: [Term]
    /// Logged beside the terms, one value per sample each, and not part of the loss.
    public let metrics: [Term]

    public init(_ terms: Term...) {
        self.terms = terms
        metrics = []
    }

    public init(_ terms: [Term], metrics: [Term] = []) {
        self.terms = terms
        self.metrics = metrics
    }

    /// Σ_k weight_k · mean_i value_ki, a scalar.
    public var total: Tensor {
        var sum: Tensor?
        for term in terms where term.weight != 0 {
            let mean = term.values.mean()
            let weighted = term.weight == 1 ? mean : mean * term.weight
            sum = sum.map { $0 + weighted } ?? weighted
        }
        return sum ?? Tensor.scalar(0)
    }

    /// The batch means of terms, then metrics (one transfer for all of them).
    public func means() -> [Double] {
        withoutGradient {
            Tensor.stacked((terms + metrics).map { $0.values.mean().to(.float64) }).doubles()
        }
    }
}
