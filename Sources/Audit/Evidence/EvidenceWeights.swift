import Foundation

/// A logistic regression of *changed on purpose or not* on standardised evidence, with coefficients that are
/// not negative:
///
///     minimise  Σ_i w_i [ln(1 + e^{m_i}) − t_i m_i] + ½ λ Σ_j β_j²,   m_i = β_0 + Σ_j β_j z_ij,   β_j ≥ 0
///
/// In every column more speaks for a wrong label, so a negative coefficient would be a correlation of this
/// sample of changed labels, and would not carry over to the given ones. Found by Newton's method; each step's
/// quadratic is minimised over the allowed coefficients one at a time. A number that is not known counts as the
/// median of its column; what is more than five standard deviations out counts as five.
struct EvidenceWeights: Sendable {
    /// β_0
    private(set) var intercept = 0.0
    /// β_j, of standardised columns.
    private(set) var coefficients: [Double]
    private let medians: [Double]
    private let means: [Double]
    private let deviations: [Double]

    /// λ
    static let ridge = 1.0
    private static let furthest = 5.0

    /// - Parameters:
    ///   - columns: equally long, finite or NaN.
    ///   - samples: that are learnt from, at least one.
    init(_ columns: [[Double]], changed: [Bool], samples: [Int]) {
        let p = columns.count
        medians = columns.map { column in
            let known = samples.map { column[$0] }.filter(\.isFinite).sorted()
            return known.isEmpty ? 0 : known[known.count / 2]
        }
        var (means, deviations): ([Double], [Double]) = ([], [])
        for (column, median) in zip(columns, medians) {
            var (sum, squares) = (0.0, 0.0)
            for i in samples { sum += column[i].isNaN ? median : column[i] }
            let mean = sum / Double(samples.count)
            for i in samples {
                let gap = (column[i].isNaN ? median : column[i]) - mean
                squares += gap * gap
            }
            means.append(mean)
            deviations.append((squares / Double(samples.count)).squareRoot() + 1e-9)
        }
        (self.means, self.deviations) = (means, deviations)
        coefficients = [Double](repeating: 0, count: p)
        fit(columns, changed, samples)
    }

    /// m of a sample.
    func score(_ columns: [[Double]], _ i: Int) -> Double {
        var m = intercept
        for j in coefficients.indices where coefficients[j] > 0 {
            m += coefficients[j] * standardised(columns[j][i], j)
        }
        return m
    }

    private func standardised(_ value: Double, _ j: Int) -> Double {
        let z = ((value.isNaN ? medians[j] : value) - means[j]) / deviations[j]
        return min(EvidenceWeights.furthest, max(-EvidenceWeights.furthest, z))
    }

    private mutating func fit(_ columns: [[Double]], _ changed: [Bool], _ samples: [Int]) {
        let p = coefficients.count
        // Row-major, with the constant last.
        var rows = [Double](repeating: 1, count: samples.count * (p + 1))
        for (place, i) in samples.enumerated() {
            for j in 0..<p { rows[place * (p + 1) + j] = standardised(columns[j][i], j) }
        }
        let targets = samples.map { changed[$0] ? 1.0 : 0 }
        let share = targets.reduce(0, +) / Double(samples.count)
        var beta = [Double](repeating: 0, count: p + 1)
        beta[p] = log(max(1e-9, share) / max(1e-9, 1 - share))
        var loss = EvidenceWeights.loss(rows, targets, beta)
        for _ in 0..<100 {
            let (gradient, hessian) = EvidenceWeights.slopes(rows, targets, beta)
            let goal = EvidenceWeights.minimum(beta, gradient, hessian)
            // Half the step until it is one downhill.
            var next = beta
            var step = 1.0
            var found = Double.infinity
            while step > 1e-10 {
                next = zip(beta, goal).map { $0 + step * ($1 - $0) }
                found = EvidenceWeights.loss(rows, targets, next)
                if found <= loss { break }
                step /= 2
            }
            guard found <= loss else { break }
            let moved = zip(beta, next).reduce(0) { max($0, abs($1.0 - $1.1)) }
            (beta, loss) = (next, found)
            if moved < 1e-10 { break }
        }
        (coefficients, intercept) = (Array(beta[..<p]), beta[p])
    }

    private static func loss(_ rows: [Double], _ targets: [Double], _ beta: [Double]) -> Double {
        let width = beta.count
        var sum = 0.0
        for (i, t) in targets.enumerated() {
            var m = 0.0
            for j in 0..<width { m += beta[j] * rows[i * width + j] }
            sum += max(0, m) + log1p(exp(-abs(m))) - t * m
        }
        return beta.dropLast().reduce(sum) { $0 + 0.5 * ridge * $1 * $1 }
    }

    /// First and second derivatives, the latter row-major.
    private static func slopes(
        _ rows: [Double], _ targets: [Double], _ beta: [Double]
    ) -> (gradient: [Double], hessian: [Double]) {
        let width = beta.count
        var gradient = [Double](repeating: 0, count: width)
        var hessian = [Double](repeating: 0, count: width * width)
        for (i, t) in targets.enumerated() {
            var m = 0.0
            for j in 0..<width { m += beta[j] * rows[i * width + j] }
            let q = 1 / (1 + exp(-m))
            for j in 0..<width {
                let x = rows[i * width + j]
                gradient[j] += (q - t) * x
                for k in 0...j { hessian[j * width + k] += q * (1 - q) * x * rows[i * width + k] }
            }
        }
        for j in 0..<width {
            for k in 0..<j { hessian[k * width + j] = hessian[j * width + k] }
            guard j < width - 1 else { continue }
            gradient[j] += ridge * beta[j]
            hessian[j * width + j] += ridge
        }
        return (gradient, hessian)
    }

    /// The β with β_j ≥ 0 (the last one free) that minimises g·(β − β′) + ½ (β − β′)ᵀ H (β − β′).
    private static func minimum(
        _ start: [Double], _ gradient: [Double], _ hessian: [Double]
    ) -> [Double] {
        let width = start.count
        var beta = start
        var slope = gradient
        for _ in 0..<10_000 {
            var moved = 0.0
            for j in 0..<width {
                let curvature = hessian[j * width + j]
                guard curvature > 0 else { continue }
                var value = beta[j] - slope[j] / curvature
                if j < width - 1 { value = max(0, value) }
                let step = value - beta[j]
                guard step != 0 else { continue }
                beta[j] = value
                for k in 0..<width { slope[k] += step * hessian[k * width + j] }
                moved = max(moved, abs(step))
            }
            if moved < 1e-12 { break }
        }
        return beta
    }
}
