/// The squared loss with soft labels, where every field is linear in (ξ_1, …, ξ_t, s, s̃, 1): the
/// averages follow from second moments, without any integration.
final class LinearSide: SampleSide {
    private let categories: [Category]
    private let betas: [Double]
    private let symmetric: Bool
    private let size: Int
    /// E[a b] for a, b among s, s̃ = s·f and 1.
    private let moments: [[Double]]
    /// Coefficients of u and g of the finished stages: ξ first, then s, s̃, 1.
    private var logits: [[Double]] = []
    private var forces: [[Double]] = []
    private(set) var accuracy = Double.nan
    private(set) var labelBeta: Double?

    init(_ categories: [Category], schedule: Schedule) {
        self.categories = categories
        betas = schedule.betas
        size = schedule.stages + 3
        symmetric = !categories.contains { $0.sign < 0 }
        func mean(_ f: (Category) -> Double) -> Double {
            categories.reduce(0) { $0 + $1.weight * f($1) }
        }
        // With one class standing for both, odd moments vanish by the symmetry they stand for.
        let es = symmetric ? 0 : mean { $0.sign }
        let et = symmetric ? 0 : mean { $0.sign * $0.flip }
        let est = mean(\.flip)
        moments = [[1, est, es], [est, 1, et], [es, et, 1]]
    }

    func begin(stage: Int, spread: Double) {}

    /// u = (h + ½D ℓ)/(1 + ½D) and g = ½(ℓ − u), with ℓ = s̃ at first and β·u of the stage before
    /// later on.
    private func fields(_ field: Field) -> (u: [Double], g: [Double]) {
        let t = logits.count
        let other = size - 3
        var h = [Double](repeating: 0, count: size)
        for r in 0...t { h[r] = field.root[r] }
        h[other] = field.m
        h[other + 2] = field.bias
        for r in 0..<t { for i in 0..<size { h[i] += field.memory[r] * forces[r][i] } }
        var label = [Double](repeating: 0, count: size)
        if t == 0 {
            label[other + 1] = 1
        } else {
            label = logits[t - 1].map { (labelBeta ?? 1) * $0 }
        }
        let half = 0.5 * field.reaction
        let u = (0..<size).map { (h[$0] + half * label[$0]) / (1 + half) }
        return (u, (0..<size).map { 0.5 * (label[$0] - u[$0]) })
    }

    private func product(_ a: [Double], _ b: [Double]) -> Double {
        let other = size - 3
        var sum = 0.0
        for i in 0..<other { sum += a[i] * b[i] }
        for i in 0..<3 { for j in 0..<3 { sum += a[other + i] * b[other + j] * moments[i][j] } }
        return sum
    }

    func averages(_ field: Field) -> Averages {
        let g = fields(field).g
        let t = logits.count
        var unit = [Double](repeating: 0, count: size)
        unit[size - 1] = 1
        var sign = [Double](repeating: 0, count: size)
        sign[size - 3] = 1
        var out = Averages(earlier: t)
        out.force = product(g, unit)
        out.signedForce = product(g, sign)
        out.slope = 0.5 / (1 + 0.5 * field.reaction)
        out.square = product(g, g)
        for r in 0..<t {
            out.products[r] = product(forces[r], g)
            out.moments[r] = g[r]
        }
        return out
    }

    func finish(_ field: Field, norm: Double) {
        let (u, g) = fields(field)
        let stage = logits.count
        let other = size - 3
        let deviation = u[..<other].reduce(0) { $0 + $1 * $1 }.squareRoot()
        accuracy = categories.reduce(0) { sum, own in
            let mean =
                own.sign * u[other] + own.sign * own.flip * u[other + 1] + u[other + 2]
            return sum + own.weight * Gaussian.tail(-own.sign * mean / deviation)
        }
        labelBeta =
            stage < betas.count ? (betas[stage].isNaN ? 1 / norm.squareRoot() : betas[stage]) : nil
        logits.append(u)
        forces.append(g)
    }
}
