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

    /// The same losses with the values of every term multiplied by a weight of each sample. With weights whose
    /// mean over the data is 1 the total is the weighted mean Σ w_i ℓ_i / Σ w_i over an epoch, and every batch is
    /// an estimate of it without bias; metrics stay as they are.
    ///
    /// - Parameter weights: [N]; every term has as many values.
    public func weighted(by weights: Tensor) -> Losses {
        Losses(
            terms.map { term in
                precondition(term.values.shape == weights.shape, "one value for each sample")
                return Term(term.name, weight: term.weight, term.values * weights)
            }, metrics: metrics)
    }

    /// The batch means of terms, then metrics (one transfer for all of them).
    public func means() -> [Double] {
        withoutGradient {
            Tensor.stacked((terms + metrics).map { $0.values.mean().to(.float64) }).doubles()
        }
    }
}
