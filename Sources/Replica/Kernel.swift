import Foundation

/// Points of integration for the samples of one category, with what the earlier stages left there.
struct Nodes: Sendable {
    var category: Category
    /// Sums to 1.
    var weight: [Double]
    /// `xi[r][i]`: the standard normal ξ_r at point i.
    var xi: [[Double]]
    /// `forces[r][i]`: g_r of the earlier stages.
    var forces: [[Double]] = []
    /// The label that the present stage learns from, ỹ; empty stands for the category's own.
    var labels: [Double] = []
    /// So many points in a row differ in the last ξ only.
    var inner = 1

    var count: Int { weight.count }
}

/// The averages over the effective training sample that close the equations (part C of the theory).
struct Averages: Sendable {
    /// E[g]
    var force = 0.0
    /// E[s g]
    var signedForce = 0.0
    /// E[ℓ''/(1 + D ℓ'')] = −E[∂g_t/∂ζ_t]
    var slope = 0.0
    /// E[g_t²]
    var square = 0.0
    /// E[g_r g_t] for the earlier stages r.
    var products: [Double]
    /// E[ξ_r g_t] for the earlier stages r.
    var moments: [Double]

    init(earlier: Int) {
        products = Array(repeating: 0, count: earlier)
        moments = products
    }

    mutating func add(_ other: Averages, weight p: Double, sign s: Double) {
        force += p * other.force
        signedForce += p * s * other.force
        slope += p * other.slope
        square += p * other.square
        for r in products.indices {
            products[r] += p * other.products[r]
            moments[r] += p * other.moments[r]
        }
    }
}

/// What the effective training sample of stage t needs to know: h = Σ_r R_tr ξ_r + s·m + b +
/// Σ_{r<t} Δχ_rt g_r, and D = Δχ_tt.
struct Field: Sendable {
    /// R_tr for r ≤ t, the row of the Cholesky factor of ΔQ.
    var root: [Double]
    /// Δχ_rt for r < t.
    var memory: [Double]
    var m: Double
    var bias: Double
    /// D = Δχ_tt
    var reaction: Double
}

/// The proximal map of the loss, u + D ℓ'(ỹ, u) = h, on many points at a time.
enum Kernel {
    /// Fills `u` (on entry a guess, on exit the logits) and `g` for the points in `range`, and
    /// returns their share of the averages of one category.
    static func sweep(
        _ nodes: Nodes, _ field: Field, loss: StageLoss, range: Range<Int>,
        u: UnsafeMutablePointer<Double>, g: UnsafeMutablePointer<Double>
    ) -> Averages {
        let earlier = field.memory.count
        var out = Averages(earlier: earlier)
        let (start, end) = (range.lowerBound, range.upperBound)
        // `g` holds h until the proximal map has been applied.
        let offset = nodes.category.sign * field.m + field.bias
        let last = field.root[earlier]
        nodes.xi[earlier].withUnsafeBufferPointer { xi in
            var i = start
            while i < end {
                g[i] = offset + last * xi[i]
                i &+= 1
            }
        }
        for r in 0..<earlier {
            let (a, c) = (field.root[r], field.memory[r])
            nodes.xi[r].withUnsafeBufferPointer { xi in
                nodes.forces[r].withUnsafeBufferPointer { force in
                    var i = start
                    while i < end {
                        g[i] += a * xi[i] + c * force[i]
                        i &+= 1
                    }
                }
            }
        }
        let own = nodes.category.label
        nodes.weight.withUnsafeBufferPointer { weight in
            nodes.labels.withUnsafeBufferPointer { labels in
                let labels = labels.isEmpty ? nil : labels.baseAddress
                switch loss {
                case .crossEntropy:
                    logistic(
                        weight.baseAddress!, labels, own, field.reaction, start, end, u, g, &out)
                case .squared:
                    linear(weight.baseAddress!, labels, own, field.reaction, start, end, u, g, &out)
                }
            }
        }
        for r in 0..<earlier {
            let (product, moment) = nodes.weight.withUnsafeBufferPointer { weight in
                nodes.xi[r].withUnsafeBufferPointer { xi in
                    nodes.forces[r].withUnsafeBufferPointer { force in
                        var (product, moment) = (0.0, 0.0)
                        var i = start
                        while i < end {
                            let wg = weight[i] * g[i]
                            product += wg * force[i]
                            moment += wg * xi[i]
                            i &+= 1
                        }
                        return (product, moment)
                    }
                }
            }
            out.products[r] = product
            out.moments[r] = moment
        }
        return out
    }

    /// Cross-entropy, ℓ' = σ(u) − ỹ: Newton's method on F(u) = u + D(σ(u) − ỹ) − h, which rises
    /// with a slope from 1 to 1 + D/4, is convex left of 0 and concave right of it. From 0 it
    /// therefore runs monotonically to the root. From a guess it may overshoot 0 to the side where
    /// the root is not; it then starts again.
    private static func logistic(
        _ weight: UnsafePointer<Double>, _ labels: UnsafePointer<Double>?, _ own: Double,
        _ d: Double, _ start: Int, _ end: Int, _ u: UnsafeMutablePointer<Double>,
        _ g: UnsafeMutablePointer<Double>, _ out: inout Averages
    ) {
        var (force, slope, square) = (0.0, 0.0, 0.0)
        // Block by block, all points of one in step: without a branch for each point the processor
        // works on several of them at once.
        withUnsafeTemporaryAllocation(of: Double.self, capacity: block) { p in
            let p = p.baseAddress!
            var first = start
            while first < end {
                let count = min(block, end &- first)
                let (u, h) = (u + first, g + first)
                let y = labels.map { $0 + first }
                newton(count, d, y, own, h: h, u: u, p: p)
                var i = 0
                while i < count {
                    let own = (y == nil ? own : y![i]) - p[i]
                    let q = p[i] * (1 - p[i])
                    let w = weight[first &+ i]
                    h[i] = own
                    force += w * own
                    square += w * own * own
                    slope += w * q / (1 + d * q)
                    i &+= 1
                }
                first &+= count
            }
        }
        out.force = force
        out.slope = slope
        out.square = square
    }

    private static let block = 64

    /// Fills `u` and p = σ(u) of `count` points.
    private static func newton(
        _ count: Int, _ d: Double, _ labels: UnsafePointer<Double>?, _ own: Double,
        h: UnsafeMutablePointer<Double>, u: UnsafeMutablePointer<Double>,
        p: UnsafeMutablePointer<Double>
    ) {
        var i = 0
        while i < count {
            // The root has the sign of −F(0). 0 stands for no guess: then the root of F's tangent
            // at 0, which does not overshoot.
            let side = h[i] + d * ((labels == nil ? own : labels![i]) - 0.5)
            if u[i] * side <= 0 { u[i] = side / (1 + 0.25 * d) }
            i &+= 1
        }
        for _ in 0..<200 {
            i = 0
            while i < count {
                p[i] = exp(-u[i])
                i &+= 1
            }
            var worst = 0.0
            i = 0
            while i < count {
                let y = labels == nil ? own : labels![i]
                let s = 1 / (1 + p[i])
                let q = s * (1 - s)
                let x = u[i]
                let step = (x + d * (s - y) - h[i]) / (1 + d * q)
                let next = x - step
                let size = step.magnitude
                let overshoots = next * (h[i] + d * (y - 0.5)) < 0 && size >= small
                u[i] = overshoots ? 0 : next
                // σ at the new point to third order of the step, without another exponential.
                p[i] = s - q * step * (1 - 0.5 * (1 - 2 * s) * step)
                worst = size > worst ? size : worst
                i &+= 1
            }
            if worst < small { break }
        }
    }

    /// A step of Newton's method after which the error is below 1e-10.
    private static let small = 1e-5

    /// Squared loss, ℓ' = ½(u − s̃) with s̃ = 2ỹ − 1: u = (h + ½D s̃)/(1 + ½D).
    private static func linear(
        _ weight: UnsafePointer<Double>, _ labels: UnsafePointer<Double>?, _ own: Double,
        _ d: Double, _ start: Int, _ end: Int, _ u: UnsafeMutablePointer<Double>,
        _ g: UnsafeMutablePointer<Double>, _ out: inout Averages
    ) {
        var (force, slope, square) = (0.0, 0.0, 0.0)
        for i in start..<end {
            let s = 2 * (labels == nil ? own : labels![i]) - 1
            u[i] = (g[i] + 0.5 * d * s) / (1 + 0.5 * d)
            g[i] = 0.5 * (s - u[i])
            force += weight[i] * g[i]
            square += weight[i] * g[i] * g[i]
            slope += weight[i] * 0.5 / (1 + 0.5 * d)
        }
        out.force = force
        out.slope = slope
        out.square = square
    }
}
