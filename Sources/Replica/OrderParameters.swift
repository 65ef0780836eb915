/// The numbers that describe all stages in the limit of many dimensions.
///
/// Stages are solved in order (the equations are causal): each adds a column (Q̂_{1..t,t}, Ĉ_{1..t,t},
/// m̂_t, b_t) from which its weights' overlap m_t, covariance Q_{·t} and responses χ_{·t} follow. In every
/// matrix `[s][t]` has s as the earlier stage; indices are from 0.
public struct OrderParameters: Equatable, Sendable {
    public internal(set) var lambdas: [Double] = []
    /// m_t = w^t·v/N
    public internal(set) var m: [Double] = []
    /// Q_st = w^s·w^t/N, symmetric.
    public internal(set) var q: [[Double]] = []
    /// χ_st = ∂w^t/∂η_s for s ≤ t, 0 below the diagonal.
    public internal(set) var chi: [[Double]] = []
    /// Q̂_st = −αΔ E[∂g_t/∂ζ_s] for s ≤ t, 0 below the diagonal.
    public internal(set) var qHat: [[Double]] = []
    /// Ĉ_st = αΔ E[g_s g_t], symmetric.
    public internal(set) var cHat: [[Double]] = []
    /// m̂_t = α E[s g_t]
    public internal(set) var mHat: [Double] = []
    /// b_t
    public internal(set) var bias: [Double] = []
    /// Lower Cholesky factor of ΔQ, rows: ζ = R ξ.
    var root: [[Double]] = []

    var count: Int { m.count }

    /// The column of one stage.
    struct Column {
        /// Q̂_rt for r ≤ t
        var qHat: [Double]
        /// Ĉ_rt for r ≤ t
        var cHat: [Double]
        var mHat: Double
        var bias: Double
    }

    /// What follows from a column.
    struct Row {
        var m: Double
        /// Q_rt for r ≤ t
        var q: [Double]
        /// χ_rt for r ≤ t
        var chi: [Double]
        /// R_tr for r ≤ t
        var root: [Double]
    }

    /// The weight side (part A): with B = (diag λ + Q̂ᵀ)⁻¹, m = B m̂, Q = m mᵀ + B Ĉ Bᵀ, χ_rt = B_tr.
    /// Only row t of B is new. Nothing if the column is impossible.
    func row(_ column: Column, lambda: Double, variance: Double) -> Row? {
        let t = count
        let stiffness = lambda + column.qHat[t]
        guard stiffness > 0, column.cHat[t] > 0 else { return nil }
        var b = [Double](repeating: 0, count: t + 1)
        b[t] = 1 / stiffness
        for j in 0..<t {
            var sum = 0.0
            for r in j..<t { sum += column.qHat[r] * chi[j][r] }
            b[j] = -sum / stiffness
        }
        var overlap = b[t] * column.mHat
        for j in 0..<t { overlap += b[j] * mHat[j] }
        // (B Ĉ)_{t j}
        let noise = (0...t).map { j -> Double in
            var sum = b[t] * column.cHat[j]
            for i in 0..<t { sum += b[i] * (j < t ? cHat[i][j] : column.cHat[i]) }
            return sum
        }
        let covariance = (0...t).map { s -> Double in
            var sum = overlap * (s < t ? m[s] : overlap)
            for j in 0...s { sum += noise[j] * (s < t ? chi[j][s] : b[j]) }
            return sum
        }
        guard covariance[t] > 0, covariance[t].isFinite, overlap.isFinite else { return nil }
        var factor = [Double](repeating: 0, count: t + 1)
        var left = variance * covariance[t]
        for r in 0..<t {
            var sum = variance * covariance[r]
            for k in 0..<r { sum -= factor[k] * root[r][k] }
            factor[r] = sum / root[r][r]
            left -= factor[r] * factor[r]
        }
        // Two stages may learn nearly the same weights; what is left is then rounding.
        factor[t] = max(left, 1e-14 * variance * covariance[t]).squareRoot()
        return Row(m: overlap, q: covariance, chi: b, root: factor)
    }

    mutating func append(_ column: Column, _ row: Row, lambda: Double) {
        let t = count
        for s in 0..<t {
            q[s].append(row.q[s])
            chi[s].append(row.chi[s])
            qHat[s].append(column.qHat[s])
            cHat[s].append(column.cHat[s])
        }
        let zeros = [Double](repeating: 0, count: t)
        q.append(row.q)
        cHat.append(column.cHat)
        chi.append(zeros + [row.chi[t]])
        qHat.append(zeros + [column.qHat[t]])
        root.append(row.root)
        m.append(row.m)
        mHat.append(column.mHat)
        bias.append(column.bias)
        lambdas.append(lambda)
    }
}

/// Which couplings carry a change of an early stage's weights into χ_st, the memory that stage t has
/// of stage s.
enum Couplings: Sendable {
    /// All of them, B = (diag λ + Q̂ᵀ)⁻¹.
    case all
    /// The defect of the authors' public notebook: only Q̂_{t−1,t}, so that
    /// χ_st = −Q̂_{t−1,t}/(Q̂_tt + λ_t)·χ_{s,t−1} for s ≤ t − 2. Right for two stages only. Kept for a
    /// test that shows it to disagree with simulation.
    case nearest

    func memory(_ chi: [Double], _ parameters: OrderParameters, _ column: OrderParameters.Column)
        -> [Double]
    {
        let t = chi.count - 1
        guard case .nearest = self, t >= 2 else { return chi }
        var short = chi
        for s in 0..<t - 1 {
            short[s] = -column.qHat[t - 1] * chi[t] * parameters.shortChi(s, t - 1)
        }
        return short
    }
}

extension OrderParameters {
    fileprivate func shortChi(_ s: Int, _ t: Int) -> Double {
        t - s < 2 ? chi[s][t] : -qHat[t - 1][t] * chi[t][t] * shortChi(s, t - 1)
    }
}
