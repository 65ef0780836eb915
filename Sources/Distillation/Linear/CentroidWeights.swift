import Torch

/// How far a label is borne out by where its features lie: the confidence of ProcSim, a reconstruction after the
/// abstract of Barbany, Lin, Bastan, Dhua, "ProcSim: Proxy-based Confidence for Robust Similarity Learning", 2023,
/// arXiv 2311.00668, whose code was not read.
///
///     d_ic   = 1 − cos(φ_i, ν_c)
///     conf_i = exp(−(d_{i,y_i} / mean_c d_ic)²)            1 at the centroid of the label, e⁻¹ between all classes
///
/// In the paper the ν_c are learnt proxies of a metric loss. Here they are the centroids of the given classes.
///
/// - Parameters:
///   - distances: d [N, C], 0 or more.
///   - labels: classes [N], int64.
/// - Returns: [N], without gradient. 1 where all distances are 0.
public func proxyConfidence(_ distances: Tensor, labels: Tensor) -> Tensor {
    withoutGradient {
        let own = distances.gathered(1, labels.unsqueezed(1)).squeezed(1)  // [N]
        let mean = distances.mean(-1).clamped(1e-12, nil)  // [N]
        return (-(own / mean).squared()).exp()
    }
}

/// 1 − cos of each sample and each proxy [N, C], without gradient.
///
/// - Parameters:
///   - features: [N, D], of any length; a row of zeros has distance 1 to everything.
///   - proxies: [C, D], of any length.
public func cosineDistances(_ features: Tensor, to proxies: Tensor) -> Tensor {
    withoutGradient { 1 - lengthOne(features).matmul(lengthOne(proxies).transposed()) }
}

/// 1 − cos of each sample and the centroid of each given class [N, C], without gradient. A sample's own features
/// are not in the centroid of its class: with more features than samples they would be most of it, and every label
/// would look right.
///
/// - Parameters:
///   - features: [N, D], float64, of any length.
///   - labels: given class of each sample, 0 to below `classes`. A class without (other) samples has distance 1.
public func centroidDistances(_ features: Tensor, labels: [Int], classes: Int) -> Tensor {
    withoutGradient {
        let unit = lengthOne(features)  // [N, D]
        let y = Tensor(labels, [labels.count]).oneHot(classes).to(unit.dtype)  // [N, C]
        let sums = y.transposed().matmul(unit)  // [C, D]
        let lengths = unit.squared().sum(-1, keep: true)  // [N, 1]: 1, or 0 for a row of zeros
        let all = unit.matmul(sums.transposed())  // [N, C], ⟨φ_i, S_c⟩
        let dot = all - y * lengths
        // |S_c − φ_i|² = |S_c|² − 2⟨φ_i, S_c⟩ + |φ_i|²
        let squares = sums.squared().sum(-1).unsqueezed(0) - y * (all * 2 - lengths)
        // Rounding leaves a little of a class of one.
        let isThere = squares.greater(1e-12).to(unit.dtype)
        return (1 - dot / squares.clamped(1e-12, nil).sqrt() * isThere).clamped(0, 2)
    }
}

private func lengthOne(_ x: Tensor) -> Tensor { x / x.norm(-1, keep: true).clamped(1e-12, nil) }
