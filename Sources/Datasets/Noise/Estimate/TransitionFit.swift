import Foundation

/// The transition matrix that makes given labels most likely, under predictions that are corrected at the
/// same time.
///
///     q_k(x) = softmax(s log p(x) + b)_k                 what the true class is
///     P(given = y | x) = Σ_k q_k(x) T[k][y]
///
/// Networks that learn from wrong labels are unsure of the right class: with half of all labels wrong, half is
/// what they say of it. s and b undo that, or whatever else their sureness is wrong by. All of it is found by
/// expectation and maximisation: the posterior of the true class, then T from expected counts and one
/// Newton step each for s and b. A maximum near the start is found, not always the largest.
///
/// T has few free entries: every row has its own share off the diagonal, spread evenly, and only entries
/// of `free` have values of their own. With all of them free, T takes up the networks' own confusions.
struct TransitionFit: Sendable {
    private(set) var samples: Int
    let classes: Int
    /// T[true][given], row after row.
    var transition: [Double]
    /// Expected shares of samples [true][given]; the sum of all is 1.
    private(set) var joint: [Double]
    /// s
    private(set) var scale: Double
    /// b
    private(set) var bias: [Double]
    /// Of the given labels, natural logarithm, over all samples.
    private(set) var logLikelihood = -Double.infinity

    /// - Parameter transition: to begin with.
    init(samples: Int, transition: [Double], classes: Int) {
        self.samples = samples
        self.classes = classes
        self.transition = transition
        joint = transition.map { $0 / Double(classes) }
        scale = 2
        bias = [Double](repeating: 0, count: classes)
    }

    /// The same, to be fitted to another number of samples.
    func restarted(samples: Int) -> TransitionFit {
        var other = self
        other.samples = samples
        other.logLikelihood = -.infinity
        return other
    }

    /// Share off the diagonal of the joint.
    var rate: Double { 1 - (0..<classes).reduce(0) { $0 + joint[$1 * classes + $1] } }

    /// Improves the fit until it gains less than a thousandth of a nat, or `iterations` are done.
    ///
    /// - Parameter free: entries [true][given] with values of their own.
    mutating func fit(_ data: OutOfSample, free: [Bool], iterations: Int) {
        precondition(data.classes == classes && data.count == samples)
        let centred = Self.centred(data)
        for iteration in 0..<iterations {
            let before = logLikelihood
            iterate(centred, data.labels, free)
            // Gains may be lost again in the first steps.
            if iteration > 10, abs(logLikelihood - before) < 1e-3 { break }
        }
    }

    /// Log-probabilities less their mean over classes, which the softmax does not see and Newton's steps do.
    static func centred(_ data: OutOfSample) -> [Double] {
        let c = data.classes
        var rows = data.logProbabilities
        for i in 0..<data.count {
            var mean = 0.0
            for k in 0..<c { mean += rows[i * c + k] }
            mean /= Double(c)
            for k in 0..<c { rows[i * c + k] -= mean }
        }
        return rows
    }

    private mutating func iterate(_ rows: [Double], _ labels: [Int], _ free: [Bool]) {
        var sums = Sums(classes)
        rows.withUnsafeBufferPointer { sums.add($0, labels, transition, scale, bias) }
        logLikelihood = sums.logLikelihood
        maximise(sums, free)
        let n = Double(labels.count)
        joint = sums.counts.map { $0 / n }
        // Newton's steps, somewhat longer in s, which moves slowest, and bounded.
        let step = 1.5 * sums.slope / (sums.curvature + 1e-9 * n)
        scale = min(50, max(0.2, scale + step))
        for k in 0..<classes {
            let step = sums.biasSlope[k] / max(sums.biasCurvature[k], 1e-6 * n)
            bias[k] = min(30, max(-30, bias[k] + 0.8 * min(1, max(-1, step))))
        }
        let mean = bias.reduce(0, +) / Double(classes)
        for k in 0..<classes { bias[k] -= mean }
    }

    /// T from expected counts. A class that nothing is expected of keeps its labels.
    private mutating func maximise(_ sums: Sums, _ free: [Bool]) {
        let c = classes
        for a in 0..<c {
            var (total, pooled, size) = (0.0, 0.0, 0.0)
            for b in 0..<c {
                let count = sums.counts[a * c + b]
                total += count
                if b != a, !free[a * c + b] { (pooled, size) = (pooled + count, size + 1) }
            }
            guard total > 1e-9 else {
                for b in 0..<c { transition[a * c + b] = a == b ? 1 : 0 }
                continue
            }
            var sum = 0.0
            for b in 0..<c {
                let isOwn = b == a || free[a * c + b]
                let value = max(1e-9, (isOwn ? sums.counts[a * c + b] : pooled / size) / total)
                transition[a * c + b] = value
                sum += value
            }
            for b in 0..<c { transition[a * c + b] /= sum }
        }
    }

    /// What one pass over the samples gathers.
    private struct Sums {
        var counts: [Double]
        var logLikelihood = 0.0
        var slope = 0.0
        var curvature = 0.0
        var biasSlope: [Double]
        var biasCurvature: [Double]
        let classes: Int

        init(_ classes: Int) {
            self.classes = classes
            counts = [Double](repeating: 0, count: classes * classes)
            biasSlope = [Double](repeating: 0, count: classes)
            biasCurvature = biasSlope
        }

        mutating func add(
            _ rows: UnsafeBufferPointer<Double>, _ labels: [Int], _ transition: [Double],
            _ scale: Double, _ bias: [Double]
        ) {
            let c = classes
            var columns = transition
            for a in 0..<c { for b in 0..<c { columns[b * c + a] = transition[a * c + b] } }
            var q = [Double](repeating: 0, count: c)
            var posterior = q
            for (i, y) in labels.enumerated() {
                let start = i * c
                var top = -Double.infinity
                for k in 0..<c {
                    q[k] = scale * rows[start + k] + bias[k]
                    top = max(top, q[k])
                }
                var sum = 0.0
                for k in 0..<c {
                    q[k] = exp(q[k] - top)
                    sum += q[k]
                }
                var likelihood = 0.0
                var mean = 0.0
                for k in 0..<c {
                    q[k] /= sum
                    posterior[k] = q[k] * columns[y * c + k]
                    likelihood += posterior[k]
                    mean += q[k] * rows[start + k]
                }
                logLikelihood += log(likelihood)
                for k in 0..<c {
                    let r = posterior[k] / likelihood
                    counts[k * c + y] += r
                    let (x, gap) = (rows[start + k], r - q[k])
                    slope += gap * x
                    curvature += q[k] * (x - mean) * (x - mean)
                    biasSlope[k] += gap
                    biasCurvature[k] += q[k] * (1 - q[k])
                }
            }
        }
    }
}
