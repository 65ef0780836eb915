import Diagnostics
import Replica
import Torch

/// A linear classifier of two classes, u = w·x + b, fitted exactly.
///
/// Minimises Σ_μ c_μ ℓ(ỹ_μ, u_μ) + (λ/2)|w|² over any matrix of features, with c_μ = 1 where nothing is said.
/// The loss is a sum over the samples, not a mean, and the penalty leaves b alone, as in the theory of target
/// Replica. Scikit-learn's C is 1/λ. Labels may be soft. Class 1 is predicted where u > 0.
public struct LinearClassifier: Equatable, Sendable {
    /// w, one per feature.
    public var weights: [Double]
    /// b
    public var bias: Double

    public init(weights: [Double], bias: Double) {
        self.weights = weights
        self.bias = bias
    }

    /// u of each row of `features` [M, N] (float64): [M].
    public func logits(_ features: Tensor) -> Tensor {
        withoutGradient { features.matmul(Tensor(weights, [weights.count])) + bias }
    }

    /// What a fit found, and how it ended.
    public struct Fit: Sendable {
        public var classifier: LinearClassifier
        /// u on the training samples.
        public var logits: [Double]
        /// Steps of Newton's method; 1 for the squared loss, which is solved in closed form.
        public var iterations: Int
        /// √(|∂w|²/N + (∂b/M)²) of the objective at the end.
        public var gradient: Double
        public var converged: Bool
    }

    /// Features at most: their Hessian takes 8 N² bytes.
    public static let mostFeatures = 8192

    /// Newton's method with the full Hessian Aᵀ diag(ℓ'') A + λI, the bias by Schur complement, and
    /// steps halved until the objective does not rise; from w = 0. The problem is convex: one
    /// solution, mostly in 4 to 10 steps.
    ///
    /// - Parameters:
    ///   - features: A, [M, N], float64, finite.
    ///   - labels: ỹ, one per sample; in [0, 1] with cross-entropy.
    ///   - weights: c, one per sample, 0 or more and not all 0; all 1 if nil.
    ///   - lambda: λ > 0.
    ///   - bias: learnt from 0 if `nil`, otherwise held at this value.
    ///   - tolerance: of the gradient.
    /// - Throws: `Problem` for features or labels that cannot be fitted.
    public static func fit(
        features: Tensor, labels: [Double], weights: [Double]? = nil, lambda: Double,
        loss: StageLoss = .crossEntropy, bias fixed: Double? = nil, tolerance: Double = 1e-8
    ) throws(Problem) -> Fit {
        try check(features, labels, lambda, loss)
        if let weights { try check(weights, samples: labels.count) }
        do {
            return try Engine.checked {
                withoutGradient {
                    let fit = Newton(
                        features, labels, weights, lambda, loss, learns: fixed == nil)
                    return fit.run(from: fixed ?? 0, tolerance: tolerance)
                }
            }
        } catch {
            // Positive definite for every λ > 0, unless rounding has eaten λ.
            throw .singular(lambda, "\(error)")
        }
    }

    private static func check(_ weights: [Double], samples: Int) throws(Problem) {
        guard weights.count == samples else {
            throw .outOfRange(
                "weights", found: "\(weights.count)", expected: "\(samples), one per label")
        }
        if let i = weights.firstIndex(where: { !(0...1e12).contains($0) }) {
            throw .outOfRange(
                "weights[\(i)]", found: "\(weights[i])", expected: "a number from 0 to 1e12")
        }
        guard weights.contains(where: { $0 > 0 }) else {
            throw .outOfRange("weights", found: "zeros only", expected: "one above 0")
        }
    }

    private static func check(
        _ features: Tensor, _ labels: [Double], _ lambda: Double, _ loss: StageLoss
    ) throws(Problem) {
        let shape = features.shape
        guard shape.count == 2, shape[0] > 0, shape[1] > 0, features.dtype == .float64 else {
            throw .outOfRange(
                "features", found: "\(features.dtype) \(shape)",
                expected: "a float64 matrix of samples and features")
        }
        guard shape[1] <= mostFeatures else {
            throw .outOfRange(
                "features", found: "\(shape[1])", expected: "at most \(mostFeatures) columns")
        }
        guard labels.count == shape[0] else {
            throw .outOfRange(
                "labels", found: "\(labels.count)", expected: "\(shape[0]), one per row of features"
            )
        }
        let allowed = loss == .crossEntropy ? 0...1 : -1e12...1e12
        if let i = labels.firstIndex(where: { !allowed.contains($0) }) {
            throw .outOfRange(
                "labels[\(i)]", found: "\(labels[i])", expected: "a number from 0 to 1")
        }
        guard (1e-12...1e15).contains(lambda) else {
            throw .outOfRange("lambda", found: "\(lambda)", expected: "a number from 1e-12 to 1e15")
        }
        guard features.isFinite().all().item == 1 else {
            throw .outOfRange("features", found: "infinity or not-a-number", expected: "numbers")
        }
    }
}

/// The objective, its derivatives, and the damped step.
private struct Newton {
    let a: Tensor
    let transposed: Tensor
    let y: Tensor
    /// c; nil for ones.
    let weights: Tensor?
    let lambda: Double
    let loss: StageLoss
    let learns: Bool
    let samples: Int
    let size: Int
    /// λI
    let penalty: Tensor

    init(
        _ features: Tensor, _ labels: [Double], _ weights: [Double]?, _ lambda: Double,
        _ loss: StageLoss, learns: Bool
    ) {
        a = features
        transposed = features.transposed()
        samples = features.shape[0]
        size = features.shape[1]
        y = Tensor(labels, [samples])
        self.weights = weights.map { Tensor($0, [$0.count]) }
        self.lambda = lambda
        self.loss = loss
        self.learns = learns
        let index = Tensor.arange(size)
        penalty = index.unsqueezed(1).equal(index.unsqueezed(0)).to(.float64) * lambda
    }

    /// Values per sample times their weights.
    private func weighted(_ values: Tensor) -> Tensor { weights.map { values * $0 } ?? values }

    private func objective(_ u: Tensor, _ w: Tensor) -> Double {
        let data: Tensor
        switch loss {
        case .crossEntropy:
            data = -(y * u.logSigmoid() + (1 - y) * (-u).logSigmoid())
        case .squared: data = ((u + 1) * 0.5 - y).squared()
        }
        return weighted(data).sum().item + lambda / 2 * w.squared().sum().item
    }

    func run(from start: Double, tolerance: Double) -> LinearClassifier.Fit {
        var w = Tensor.zeros([size], dtype: .float64)
        var b = start
        var u = a.matmul(w) + b
        var value = objective(u, w)
        var steps = 0
        var gradient = Double.infinity
        while !Engine.failed {
            let p = u.sigmoid()
            var slope: Tensor
            var curvature: Tensor
            switch loss {
            case .crossEntropy: (slope, curvature) = (p - y, p * (1 - p))
            case .squared:
                slope = (u + 1) * 0.5 - y
                curvature = Tensor.full([samples], 0.5, dtype: .float64)
            }
            (slope, curvature) = (weighted(slope), weighted(curvature))
            let gw = transposed.matmul(slope) + w * lambda
            let gb = learns ? slope.sum().item : 0
            gradient =
                (gw.squared().sum().item / Double(size) + gb * gb / Double(samples * samples))
                .squareRoot()
            if gradient < tolerance || steps == 100 { break }
            let (dw, db) = step(curvature, gw, gb)
            var share = 1.0
            while true {
                let trial = (w - dw * share, b - share * db)
                let next = a.matmul(trial.0) + trial.1
                let found = objective(next, trial.0)
                // Near the minimum the objective changes by less than its rounding.
                if found <= value + 1e-9 * abs(value) || share < 1e-4 || Engine.failed {
                    (w, b, u, value) = (trial.0, trial.1, next, found)
                    break
                }
                share /= 2
            }
            steps += 1
        }
        return LinearClassifier.Fit(
            classifier: LinearClassifier(weights: w.doubles(), bias: b), logits: u.doubles(),
            iterations: steps, gradient: gradient, converged: gradient < tolerance)
    }

    /// Solves the Newton system: with c = Aᵀℓ'' and S = H⁻¹[gw, c],
    /// db = (gb − c·S_1)/(Σℓ'' − c·S_2), dw = S_1 − S_2 db.
    private func step(_ curvature: Tensor, _ gw: Tensor, _ gb: Double) -> (Tensor, Double) {
        let hessian = (transposed * curvature).matmul(a) + penalty
        guard learns else {
            return (hessian.choleskySolve(gw.unsqueezed(1)).squeezed(1), 0)
        }
        let c = transposed.matmul(curvature)
        let solved = hessian.choleskySolve(
            Tensor.concatenated([gw.unsqueezed(1), c.unsqueezed(1)], 1))
        let (first, second) = (solved.selected(1, 0), solved.selected(1, 1))
        let db =
            (gb - (c * first).sum().item) / (curvature.sum().item - (c * second).sum().item)
        return (first - second * db, db)
    }

}
