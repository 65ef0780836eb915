import Foundation

extension Nodes {
    /// Points for the first stage: one dimension, panels of Gauss–Legendre.
    static func first(_ category: Category, resolution: Double) -> Nodes {
        let reach = Quadrature.reach
        let edges = (0...4).map { reach * (Double($0) / 2 - 1) }
        let rule = Quadrature.normal(panels: edges) { _ in Int((16 * resolution).rounded(.up)) }
        return Nodes(category: category, weight: rule.weights, xi: [rule.points])
    }

    /// Points for the second stage: for each category ξ_1 is split at ξ_1*, where the first
    /// stage's training prediction changes sign (there a hard label jumps, and a soft one varies
    /// fastest), with panels of Gauss–Legendre on both sides; Gauss–Hermite in ξ_2.
    ///
    /// - Parameters:
    ///   - first: the first stage's field; R lower triangular means ζ_1 = R_11 ξ_1.
    ///   - beta: inverse temperature of the labels.
    ///   - spread: about R_22, how far ξ_2 moves the second stage's field.
    static func second(
        _ category: Category, first: Field, beta: Double, spread: Double, resolution: Double
    ) -> Nodes {
        let reach = Quadrature.reach
        let (scale, d) = (first.root[0], first.reaction)
        // u_1 = 0 where h_1 = D(½ − ỹ).
        let flip =
            (d * (0.5 - category.label) - category.sign * first.m - first.bias) / scale
        let centre = min(max(flip, 0.01 - reach), reach - 0.01)
        // In units of ξ_1: the width of the sigmoid of u_1, and that of the label.
        let sigmoid = (1 + d / 4) / scale
        let width = min(sigmoid, beta.isFinite ? (1 + d / 4) / (beta * scale) : .infinity)
        var edges: Set<Double> = [-reach, centre, reach]
        var distance = 5 * width
        while distance < 3 {
            if centre - distance > -reach { edges.insert(centre - distance) }
            if centre + distance < reach { edges.insert(centre + distance) }
            distance *= 8
        }
        let outer = Quadrature.normal(panels: edges.sorted()) { length in
            Int(((length > 3 ? 24 : 16) * resolution).rounded(.up))
        }
        let inner = Quadrature.cached(
            hermite: Int((hermiteSize(spread) * resolution).rounded(.up)))
        var nodes = Nodes(category: category, weight: [], xi: [[], []])
        for (x, p) in zip(outer.points, outer.weights) where p > 1e-18 {
            for (z, q) in zip(inner.points, inner.weights) where p * q > 1e-18 {
                nodes.weight.append(p * q)
                nodes.xi[0].append(x)
                nodes.xi[1].append(z)
            }
        }
        return nodes
    }

    /// Gauss–Hermite points for a sigmoid of a normal variable with this deviation.
    static func hermiteSize(_ spread: Double) -> Double {
        switch spread {
        case ..<0.5: 12
        case ..<1: 18
        case ..<2: 28
        case ..<4: 48
        default: 72
        }
    }

    /// Points for later stages: the same quasi-random sample for every category.
    static func sampled(_ category: Category, _ sample: NormalSample) -> Nodes {
        Nodes(
            category: category,
            weight: Array(repeating: 1 / Double(sample.count), count: sample.count),
            xi: sample.columns)
    }
}
