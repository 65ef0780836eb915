import Diagnostics
import Torch

/// How far from isotropic a cloud of features is within its classes, and the map that makes it so.
///
/// Within-class covariance S (about the means of the given labels) shrunk to σ²I after Ledoit and Wolf
/// (2004, "A well-conditioned estimator for large-dimensional covariance matrices"), and its inverse
/// root by the coupled iteration of Newton and Schulz. Labels enter through two means only. As
/// those are means of noisy labels, S still holds some of the distance between the classes: whitened
/// features look a little harder than they are.
public struct Whitening {
    /// tr(S²)/N / (tr S/N)² − N/M − 1: the relative variance of the true covariance's eigenvalues. Marchenko
    /// and Pastur's law has second moment 1 + N/M, so isotropic features give 0.
    public let anisotropy: Double
    /// Weight of σ²I in the shrunk covariance, 0 to 1.
    public let shrinkage: Double
    private let mean: Tensor
    private let covariance: Tensor
    private let scale: Double

    /// - Parameters:
    ///   - features: [M, N], float64.
    ///   - labels: given ones.
    public init(features: Tensor, labels: [Bool]) throws(Problem) {
        do {
            self = try Engine.checked { withoutGradient { Whitening(features, labels) } }
        } catch {
            throw Problem(.internal, "the engine failed: \(error)")
        }
    }

    private init(_ x: Tensor, _ labels: [Bool]) {
        let (m, n) = (Double(x.shape[0]), Double(x.shape[1]))
        mean = x.mean(0, keep: true)
        let positive = Tensor(labels.map { $0 ? 1.0 : 0 }, [labels.count, 1])
        let negative = 1 - positive
        let above = (x * positive).sum(0, keep: true) / positive.sum()
        let below = (x * negative).sum(0, keep: true) / negative.sum()
        let y = x - positive.matmul(above) - negative.matmul(below)
        let s = y.transposed().matmul(y) * (1 / max(1, m - 2))
        let index = Tensor.arange(x.shape[1])
        let eye = index.unsqueezed(1).equal(index.unsqueezed(0)).to(.float64)
        let trace = (s * eye).sum().item / n
        let square = s.squared().sum().item
        scale = max(trace, 1e-300)
        anisotropy = square / n / (scale * scale) - n / m - 1
        let fourth = y.squared().sum(1).squared().sum().item
        let chance = (fourth / m - square) / m
        let distance = square - n * trace * trace
        shrinkage = min(1, max(chance / max(distance, 1e-300), 1e-3))
        covariance = s * (1 - shrinkage) + eye * (shrinkage * trace)
    }

    /// Maps rows to coordinates in which the shrunk covariance is σ²I.
    public func map() throws(Problem) -> (Tensor) -> Tensor {
        let root: Tensor
        do {
            root = try Engine.checked { withoutGradient { inverseRoot() } }
        } catch {
            throw Problem(.internal, "the engine failed: \(error)")
        }
        let mean = mean
        return { rows in withoutGradient { (rows - mean).matmul(root) } }
    }

    /// √scale · covariance^(−1/2): Y → (C/c)^(1/2), Z → (C/c)^(−1/2) with c above the largest eigenvalue.
    private func inverseRoot() -> Tensor {
        let n = covariance.shape[0]
        let index = Tensor.arange(n)
        let eye = index.unsqueezed(1).equal(index.unsqueezed(0)).to(.float64)
        // The largest row sum bounds the largest eigenvalue.
        let bound = covariance.abs().sum(1).max(0).item
        var y = covariance / bound
        var z = eye
        for _ in 0..<60 {
            let t = (eye * 3 - z.matmul(y)) * 0.5
            y = y.matmul(t)
            z = t.matmul(z)
            if (t - eye).abs().flattened(from: 0).max(0).item < 1e-10 || Engine.failed { break }
        }
        return z * (scale / bound).squareRoot()
    }
}
