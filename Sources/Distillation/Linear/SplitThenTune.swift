import Diagnostics
import Foundation
import Torch

/// Split, then tune: a linear classifier on frozen features that leaves out samples whose label is likely wrong.
/// A reconstruction after the abstract of Ahn, Kim, Ko, Yun, "Fine tuning Pre trained Models for Robustness
/// Under Noisy Labels" (TURN), 2023, arXiv 2310.17668, whose code was not read.
///
///     w_1 = argmin Σ_i (1 − p_i^q)/q + (λ_1/2)|w|²                p_i: probability of the given label
///     g_i = p(right | ℓ_i)                                        `LossMixture` of the losses ℓ_i at w_1
///     w_2 = argmin Σ_{g_i > 1/2} −g_i log p_i + (λ_2/2)|w|²
///
/// TURN tunes the last layer with GCE, splits, then tunes the whole network on what is kept and splits again after
/// each epoch. Here the encoder stays frozen and the fits are exact, so that there is one split.
/// GCE is concave in −log p, so that Σ p_i^q · (−log p_i), with p^q of the fit before, lies above it up to a
/// constant: each weighted fit lowers the objective. It begins at cross-entropy's fit and finds a minimum near it.
public enum SplitThenTune {
    /// q of GCE, the one of its paper.
    public static let q = 0.7
    /// Weighted fits at most.
    public static let mostRounds = 10

    /// A local minimum of GCE, or where `mostRounds` fits lead.
    ///
    /// - Parameters:
    ///   - features: [M, N], float64.
    ///   - labels: 0 or 1.
    ///   - lambda: λ_1.
    ///   - bias: learnt if nil, otherwise held at this value.
    /// - Returns: the fit, and the loss (1 − p_i^q)/q of each sample at it.
    /// - Throws: `Problem` as `LinearClassifier.fit`.
    public static func generalised(
        features: Tensor, labels: [Double], lambda: Double, q: Double = q, bias: Double? = nil,
        rounds: Int = mostRounds, tolerance: Double = 1e-6
    ) throws(Problem) -> (fit: LinearClassifier.Fit, losses: [Double]) {
        func powers(_ fit: LinearClassifier.Fit) -> [Double] {
            // p^q = exp(−q log(1 + e^(−u))), kept off 0: a fit needs some weight.
            zip(fit.logits, labels).map { u, y in
                max(exp(-q * log1p(exp(y > 0.5 ? -u : u))), 1e-12)
            }
        }
        var fit = try LinearClassifier.fit(
            features: features, labels: labels, lambda: lambda, bias: bias, tolerance: tolerance)
        var weights = powers(fit)
        for _ in 0..<rounds {
            fit = try LinearClassifier.fit(
                features: features, labels: labels, weights: weights, lambda: lambda, bias: bias,
                tolerance: tolerance)
            let next = powers(fit)
            let moved = zip(next, weights).reduce(0) { max($0, abs($1.0 - $1.1)) }
            weights = next
            if moved < 1e-4 { break }
        }
        return (fit, weights.map { (1 - $0) / q })
    }

    /// The weight of each sample in the second fit: g_i where it is above one half, else 0.
    ///
    /// `LossSplit` says what becomes of losses without two humps. A class of which nothing would be left is split
    /// by itself; if that leaves nothing either, the half of it with the smallest losses is kept with weight 1.
    ///
    /// - Parameter labels: 0 or 1.
    /// - Throws: for a loss that is not finite.
    public static func weights(losses: [Double], labels: [Int]) throws(Problem) -> [Double] {
        let classes = Set(labels).sorted()
        func kept(_ split: LossSplit) -> [Double] {
            var weights = [Double](repeating: 0, count: losses.count)
            for i in split.selected { weights[i] = split.clean[i] }
            return weights
        }
        func vanished(_ weights: [Double]) -> [Int] {
            classes.filter { c in !labels.indices.contains { labels[$0] == c && weights[$0] > 0 } }
        }
        var weights = kept(try LossSplit(losses, labels: labels, classes: 2))
        if !vanished(weights).isEmpty {
            weights = kept(
                try LossSplit(losses, labels: labels, classes: 2, options: .init(perClass: true)))
        }
        for c in vanished(weights) {
            let own = labels.indices.filter { labels[$0] == c }
            let order = own.sorted { (losses[$0], $0) < (losses[$1], $1) }
            for i in order.prefix((own.count + 1) / 2) { weights[i] = 1 }
        }
        return weights
    }
}
