/// The equations of one stage, given the stages before it: unknown is the column
/// (Q̂_{1..t,t}, Ĉ_{1..t,t}, m̂_t, b_t).
struct StageEquations {
    var mixture: NoisyMixture
    var parameters: OrderParameters
    var lambda: Double
    var learnsBias: Bool
    var couplings: Couplings
    var side: any SampleSide
    /// The first guess.
    var start: Column

    typealias Column = OrderParameters.Column
    typealias Row = OrderParameters.Row

    struct Found {
        var column: Column
        var row: Row
        var residual: Double
        var iterations: Int
        var converged: Bool

        /// A residual can be small where the weights have vanished or are no numbers.
        var isSolved: Bool {
            let q = row.q[row.q.count - 1]
            return converged && q > 0 && q.isFinite && row.m.isFinite && column.bias.isFinite
        }
    }

    private var t: Int { parameters.count }

    /// Nothing if no column near the start is possible.
    func solve(tolerance: Double, perseveres: Bool = true) -> Found? {
        let found = attempt(tolerance: tolerance)
        if found?.converged == true || !perseveres { return found }
        // With a strong penalty the iteration is a contraction; from there in steps to the own λ.
        var easier = self
        var iterations = found?.iterations ?? 0
        for factor in [1000, 100, 10, 3, 1.5, 1.0] {
            easier.lambda = lambda * factor
            guard let step = easier.attempt(tolerance: factor > 1 ? 1e-4 : tolerance) else {
                continue
            }
            iterations += step.iterations
            easier.start = step.column
            if factor == 1, step.converged || found == nil {
                return Found(
                    column: step.column, row: step.row, residual: step.residual,
                    iterations: iterations, converged: step.converged)
            }
        }
        return found
    }

    private func attempt(tolerance: Double) -> Found? {
        guard row(start) != nil else { return nil }
        // First roughly, with sizes known beforehand; then to the end, with the sizes found.
        var rough = FixedPoint()
        rough.tolerance = 1e-2
        rough.mostIterations = 200
        var fine = FixedPoint()
        fine.tolerance = tolerance
        fine.mostIterations = 300
        let first = rough.solve(start: pack(start), scales: scales(nil)) { image($0) }
        guard row(unpack(first.x)) != nil else { return nil }
        let sizes = scales(unpack(first.x))
        let last = fine.solve(start: first.x, scales: sizes) { image($0) }
        let column = unpack(last.x)
        guard let row = row(column) else { return nil }
        return Found(
            column: column, row: row, residual: last.residual,
            iterations: first.iterations + last.iterations, converged: last.converged)
    }

    func row(_ column: Column) -> Row? {
        parameters.row(column, lambda: lambda, variance: mixture.variance)
    }

    func field(_ row: Row, _ column: Column) -> Field {
        let memory = couplings.memory(row.chi, parameters, column)
        return Field(
            root: row.root, memory: memory[..<t].map { mixture.variance * $0 }, m: row.m,
            bias: column.bias, reaction: mixture.variance * row.chi[t])
    }

    /// One pass through the equations (parts A, B, C).
    private func image(_ x: [Double]) -> [Double]? {
        let column = unpack(x)
        guard let row = row(column) else { return nil }
        let average = side.averages(field(row, column))
        let (alpha, delta) = (mixture.sampleRatio, mixture.variance)
        // By Stein's lemma Rᵀ Q̂ = −αΔ E[ξ g]. Its last line is the derivative at the stage itself,
        // which is known without ξ_t; the lines above it hold for jumping labels too.
        var qHat = [Double](repeating: 0, count: t + 1)
        qHat[t] = alpha * delta * average.slope
        for r in stride(from: t - 1, through: 0, by: -1) {
            var sum = -alpha * delta * average.moments[r]
            for s in r + 1...t {
                sum -= (s < t ? parameters.root[s][r] : row.root[r]) * qHat[s]
            }
            qHat[r] = sum / parameters.root[r][r]
        }
        let cHat = (average.products + [average.square]).map { alpha * delta * $0 }
        // Newton's step towards E[g] = 0, held back where hardly a sample is undecided.
        let step = min(max(average.force / average.slope, -2), 2)
        return pack(
            Column(
                qHat: qHat, cHat: cHat, mHat: alpha * average.signedForce,
                bias: column.bias + step))
    }

    private func pack(_ column: Column) -> [Double] {
        column.qHat + column.cHat + [column.mHat] + (learnsBias ? [column.bias] : [])
    }

    private func unpack(_ x: [Double]) -> Column {
        Column(
            qHat: Array(x[...t]), cHat: Array(x[(t + 1)...(2 * t + 1)]), mHat: x[2 * t + 2],
            bias: learnsBias ? x[2 * t + 3] : start.bias)
    }

    /// Natural sizes of the unknowns, from the root mean square of g at each stage: |g| < 1 at first.
    private func scales(_ column: Column?) -> [Double] {
        let (alpha, delta) = (mixture.sampleRatio, mixture.variance)
        let unit = (alpha * delta).squareRoot()
        let sizes = (0..<t).map { parameters.cHat[$0][$0].squareRoot() / unit }
        let size = column.map { $0.cHat[t].squareRoot() / unit } ?? 0.5
        var qHat = (0..<t).map { alpha * delta * size / parameters.root[$0][$0] }
        qHat.append(column.map { $0.qHat[t] } ?? alpha * delta * 0.25)
        let cHat = sizes.map { alpha * delta * $0 * size } + [alpha * delta * size * size]
        let deviation = column.flatMap { row($0) }.map { (delta * $0.q[t]).squareRoot() } ?? 1
        return qHat + cHat + [alpha * size] + (learnsBias ? [min(1, deviation)] : [])
    }
}
