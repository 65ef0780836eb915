import Diagnostics
import Distillation
import Foundation
import Randomness
import Replica
import Torch
import Workers

/// Self-distillation of linear classifiers on finite draws from the noisy Gaussian mixture, trained
/// exactly: what the theory of target Replica has to meet as N grows.
///
/// M = round(αN) samples of which exactly round(Mρ) are positive; x = s·v/√N + √Δ·z with v = (1, …, 1);
/// labels flipped independently with probability θ. The generalisation error is exact given the
/// weights, so there is no test set.
public struct FiniteSimulation: Sendable {
    public var mixture: NoisyMixture
    /// N
    public var dimensions: Int
    public var trials: Int
    public var seed: UInt64
    /// Trials at a time, on one engine thread each. Results do not depend on it.
    public var workers = ProcessInfo.processInfo.activeProcessorCount

    /// Bounds on what one trial may take: N features, and 8 M N bytes for their matrix.
    public static let dimensionRange = 2...LinearClassifier.mostFeatures
    public static let mostValues = 1 << 27

    /// - Throws: `Problem` for a size that does not fit.
    public init(
        _ mixture: NoisyMixture, dimensions: Int, trials: Int, seed: UInt64 = 0
    ) throws(Problem) {
        guard Self.dimensionRange.contains(dimensions) else {
            throw .wrongSize("N", dimensions, "2 to \(LinearClassifier.mostFeatures)")
        }
        guard (1...100_000).contains(trials) else {
            throw .wrongSize("trials", trials, "1 to 100000")
        }
        let samples = (mixture.sampleRatio * Double(dimensions)).rounded()
        guard samples >= 1, samples * Double(dimensions) <= Double(Self.mostValues) else {
            throw .wrongSize(
                "N", dimensions,
                "alpha·N samples, at least one and at most \(Self.mostValues / dimensions)")
        }
        self.mixture = mixture
        self.dimensions = dimensions
        self.trials = trials
        self.seed = seed
    }

    /// What one trial measured of one stage.
    public struct Measurement: Equatable, Sendable {
        public var error: Double
        public var m: Double
        public var q: Double
        public var bias: Double
        /// Share of training samples that the stage's predictions get right.
        public var labelAccuracy: Double
        public var converged: Bool
    }

    /// A mean over trials.
    public struct Mean: Equatable, Sendable {
        public var mean: Double
        /// Standard error of the mean; not a number for one trial.
        public var error: Double

        init(_ values: [Double]) {
            let n = Double(values.count)
            let mean = values.reduce(0, +) / n
            self.mean = mean
            let sum = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            error = values.count > 1 ? (sum / (n - 1) / n).squareRoot() : .nan
        }
    }

    /// All trials of one stage.
    public struct Stage: Equatable, Sendable {
        /// k of k-SD.
        public var stage: Int
        public var error: Mean
        public var m: Mean
        public var q: Mean
        public var bias: Mean
        public var labelAccuracy: Mean
        public var converged: Bool
    }

    /// - Throws: the `Problem` of the first trial that had one.
    public func run(_ schedule: Schedule) throws(Problem) -> [Stage] {
        let threads = Engine.threads
        // The count belongs to a thread, and the caller's is among those that work.
        defer { Engine.threads = threads }
        let results = Parallel.map(trials, workers: workers) {
            i -> Result<[Measurement], Problem> in
            Engine.threads = 1
            do throws(Problem) {
                return .success(try trial(i, schedule))
            } catch {
                return .failure(error)
            }
        }
        var all: [[Measurement]] = []
        for result in results { all.append(try result.get()) }
        return schedule.lambdas.indices.map { k in
            let own = all.map { $0[k] }
            return Stage(
                stage: k, error: Mean(own.map(\.error)), m: Mean(own.map(\.m)),
                q: Mean(own.map(\.q)), bias: Mean(own.map(\.bias)),
                labelAccuracy: Mean(own.map(\.labelAccuracy)),
                converged: own.allSatisfy(\.converged))
        }
    }

    /// A draw of the training set of trial `trial`: A = X/√N as [M, N], given labels, true classes ±1.
    public func sample(_ trial: Int) -> (features: Tensor, labels: [Double], classes: [Double]) {
        var draw = Draw(seed: seed, .simulation, sample: trial)
        let count = Int((mixture.sampleRatio * Double(dimensions)).rounded())
        let positives = Int((Double(count) * mixture.positiveShare).rounded())
        let classes = (0..<count).map { $0 < positives ? 1.0 : -1 }
        let labels = classes.map { s in
            (1 + s * (draw.uniform() < mixture.noiseRate ? -1 : 1)) / 2
        }
        let n = dimensions
        let root = Double(n).squareRoot()
        let spread = mixture.variance.squareRoot() / root
        let values = [Double](unsafeUninitializedCapacity: count * n) { buffer, filled in
            var i = 0
            for s in classes {
                for _ in 0..<n {
                    buffer[i] = s / Double(n) + spread * draw.normal()
                    i += 1
                }
            }
            filled = i
        }
        return (Tensor(values, [count, n]), labels, classes)
    }

    private func trial(_ i: Int, _ schedule: Schedule) throws(Problem) -> [Measurement] {
        let (features, labels, classes) = sample(i)
        let n = Double(dimensions)
        return try LinearSelfDistillation.train(
            features: features, labels: labels, schedule: schedule
        ).map { stage in
            let w = stage.classifier.weights
            let m = w.reduce(0, +) / n
            let q = w.reduce(0) { $0 + $1 * $1 } / n
            let right = zip(stage.logits, classes).count { ($0 > 0) == ($1 > 0) }
            return Measurement(
                error: mixture.error(overlap: m, norm: q, bias: stage.classifier.bias), m: m, q: q,
                bias: stage.classifier.bias,
                labelAccuracy: Double(right) / Double(classes.count), converged: stage.converged)
        }
    }
}

extension Problem {
    fileprivate static func wrongSize(_ name: String, _ found: Int, _ expected: String) -> Problem {
        Problem(
            .usage, "wrong value", at: .init(detail: [name]), found: "\(found)", expected: expected)
    }
}
