import Foundation

extension Nodes {
    /// Points for the first stage: one dimension, panels of Gauss–Legendre.
    static func first(_ category: Category, resolution: Double) -> Nodes {
        let reach = Quadrature.reach
        let edges = (0...4).map { reach * (Double($0) / 2 - 1) }
        let rule = Quadrature.normal(panels: edges) { _ in Int((16 * resolution).rounded(.up)) }
        return Nodes(category: category, weight: rule.weights, xi: [rule.points])
    }

    /// Points of ξ_1 for the second stage: split at ξ_1*, where the first stage's training prediction
    /// changes sign (there a hard label jumps, and a soft one varies fastest), with panels of
    /// Gauss–Legendre on both sides.
    ///
    /// - Parameters:
    ///   - first: the first stage's field; R lower triangular means ζ_1 = R_11 ξ_1.
    ///   - beta: inverse temperature of the labels.
    static func second(
        _ category: Category, first: Field, beta: Double, resolution: Double
    ) -> Nodes {
        let edges = panels(category, first: first, beta: beta)
        let rule = Quadrature.normal(panels: edges) { length in
            Int(((length > 3 ? 20 : 14) * resolution).rounded(.up))
        }
        return Nodes(category: category, weight: rule.weights, xi: [rule.points])
    }

    /// The ends of the panels, rising.
    static func panels(_ category: Category, first: Field, beta: Double) -> [Double] {
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
        // The force turns within a few units of u also away from the centre, where D is large.
        let longest = max(0.3, 8 / scale)
        let sorted = edges.sorted()
        return zip(sorted, sorted.dropFirst()).flatMap { low, high in
            let parts = ((high - low) / longest).rounded(.up)
            return stride(from: 0, to: parts, by: 1).map { low + (high - low) * $0 / parts }
        } + [reach]
    }

    /// Every point repeated with each point of Gauss–Hermite in one more ξ, which runs fastest.
    ///
    /// - Parameter spread: about how far that ξ moves the field.
    func times(spread: Double, resolution: Double) -> Nodes {
        let inner = Quadrature.cached(
            hermite: Int((Nodes.hermiteSize(spread) * resolution).rounded(.up)))
        func repeated(_ list: [Double]) -> [Double] {
            list.flatMap { repeatElement($0, count: inner.points.count) }
        }
        return Nodes(
            category: category, weight: weight.flatMap { p in inner.weights.map { p * $0 } },
            xi: xi.map(repeated) + [weight.flatMap { _ in inner.points }],
            forces: forces.map(repeated), labels: repeated(labels), inner: inner.points.count)
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
