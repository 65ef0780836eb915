import Diagnostics
import Distillation
import Foundation
import Randomness
import Replica
import Torch
import Training

/// Self-distillation of linear classifiers on frozen features of two classes with injected label noise:
/// the CIFAR-10 experiment of arXiv 2501.16226 (after the authors' public code) on any features.
///
/// Each trial draws M training samples and half as many validation samples, flips exactly ⌊θn⌋ labels of
/// each class in both, standardises on the training samples, and measures on all clean test samples.
/// The λ of both stages are searched together on a logarithmic grid, then κ, for the least error on the
/// (noisy) validation labels. The authors search on the test labels; `oracle` does that too, beside the
/// other, and no number of it is one that a user can reach.
///
/// The arm `auto` declines stages: those of `several` are added one by one as long as each gains more on
/// what the search may look at than its standard error (`StageGain`); the first that does not ends it.
public struct FeatureExperiment: Sendable {
    public enum Arm: String, CaseIterable, Sendable {
        case plain, hard, soft, several, auto
        /// `SplitThenTune`: λ of both fits are searched together.
        case turn
        /// One fit, in which a sample counts as much as its distance to the centroids of the given classes bears
        /// out its label, see `proxyConfidence`.
        case centroids

        /// Those of the paper's experiment; the others are run where they are asked for.
        public static let selfDistillation: [Arm] = [.plain, .hard, .soft, .several, .auto]
        public static let others: [Arm] = [.turn, .centroids]
    }

    /// M, training samples.
    public var sizes: [Int]
    /// θ
    public var noiseRates: [Double]
    public var trials = 10
    /// Share of the positive class in the training sample; the test set stays as it is.
    public var positiveShare = 0.5
    public var bias = BiasRule.learnt
    /// k of the arm `several`, and the most of `auto`: hard labels, the later stages with the λ of the
    /// last searched one.
    public var stages = 3
    public var oracle = false
    /// Of `Arm.others`, what is run beside self-distillation on the same draws.
    public var others: [Arm] = []
    public var seed: UInt64 = 0
    /// λ on features of variance 1, in penalty λ/2 |w|² on the summed loss: 1/C of other programs.
    public static let lambdas = [1e-2, 1e-1, 1, 1e1, 1e2, 1e3, 1e4, 1e5]
    /// κ = β/(4λ)·M: soft labels are σ(βu), and u is of order M/λ.
    public static let kappas = [0.03, 0.1, 0.3, 1, 3]

    public init(sizes: [Int], noiseRates: [Double]) {
        self.sizes = sizes
        self.noiseRates = noiseRates
    }

    /// What is run, in order.
    public var arms: [Arm] { Arm.selfDistillation + Arm.others.filter(others.contains) }

    /// What one trial measured: test error and schedule by arm.
    public struct Trial: Sendable {
        public var errors: [Arm: Double]
        public var lambdas: [Arm: [Double]]
        /// Of the stages that `auto` tried, from the first: all but the last were accepted, and so may that
        /// be.
        public var tried: [StageGain]

        /// Stages after stage 0 that `auto` has.
        public var accepted: Int { tried.count { $0.isAccepted } }
    }

    public struct Cell: Sendable {
        public var size: Int
        public var noiseRate: Double
        public var sampleRatio: Double
        public var trials: [Trial]
        /// With `oracle`, whose trials those are: the same draws, searched on validation.
        public var validationTrials: [Trial]?

        /// The cell as a search on validation has it.
        public var onValidation: Cell? {
            validationTrials.map {
                Cell(
                    size: size, noiseRate: noiseRate, sampleRatio: sampleRatio, trials: $0,
                    validationTrials: nil)
            }
        }

        public func error(_ arm: Arm) -> FiniteSimulation.Mean {
            FiniteSimulation.Mean(trials.map { $0.errors[arm] ?? .nan })
        }
        /// Error of 0-SD less that of `arm`, in the same trials.
        public func gain(_ arm: Arm) -> FiniteSimulation.Mean {
            FiniteSimulation.Mean(
                trials.map { ($0.errors[.plain] ?? .nan) - ($0.errors[arm] ?? .nan) })
        }
    }

    /// - Parameter observe: called after every trial with the share that is done.
    /// - Throws: `Problem` for options out of range or too few samples.
    public func run(
        _ problem: TwoClasses, observe: (Double) throws(Problem) -> Void = { _ in }
    ) throws(Problem) -> [Cell] {
        try check(problem)
        var cells: [Cell] = []
        let total = Double(sizes.count * noiseRates.count * trials)
        for theta in noiseRates {
            for size in sizes {
                var list: [[Trial]] = []
                for trial in 0..<trials {
                    list.append(try run(problem, size: size, theta: theta, trial: trial))
                    let done = cells.count * trials + trial + 1
                    try observe(Double(done) / total)
                }
                cells.append(
                    Cell(
                        size: size, noiseRate: theta,
                        sampleRatio: Double(size) / Double(problem.features.dimension),
                        trials: list.map { $0[0] },
                        validationTrials: oracle ? list.map { $0[1] } : nil))
            }
        }
        return cells
    }

    private func check(_ problem: TwoClasses) throws(Problem) {
        for theta in noiseRates where !(0..<0.5).contains(theta) {
            throw .outOfRange("theta", found: "\(theta)", expected: "0 to below 0.5")
        }
        guard (1...1000).contains(trials) else {
            throw .outOfRange("trials", found: "\(trials)", expected: "1 to 1000")
        }
        guard (2...10).contains(stages) else {
            throw .outOfRange("stages", found: "\(stages)", expected: "2 to 10")
        }
        guard (0.05...0.95).contains(positiveShare) else {
            throw .outOfRange("rho", found: "\(positiveShare)", expected: "0.05 to 0.95")
        }
        let (pool, test) = rows(problem)
        guard !test.isEmpty else {
            throw .outOfRange("test samples", found: "0", expected: "some in the split")
        }
        for size in sizes {
            for (sign, share) in [(true, positiveShare), (false, 1 - positiveShare)] {
                let there = pool.count { truth(problem, $0) == sign }
                let wanted = Int((1.5 * Double(size) * share).rounded(.up))
                guard size >= 10, wanted <= there else {
                    throw .outOfRange(
                        "sizes", found: "\(size)",
                        expected: "at least 10, and \(wanted) samples of class "
                            + "\(sign ? problem.positive : problem.negative), where \(there) are")
                }
            }
        }
    }

    private func truth(_ problem: TwoClasses, _ row: Int) -> Bool {
        problem.clean?[row] ?? problem.given[row]
    }

    private func rows(_ problem: TwoClasses) -> (pool: [Int], test: [Int]) {
        (problem.rows(.train) + problem.rows(.validation), problem.rows(.test))
    }

    /// With `oracle` two: searched on the test labels, and on validation, of the same fits.
    private func run(_ problem: TwoClasses, size: Int, theta: Double, trial: Int) throws(Problem)
        -> [Trial]
    {
        let (pool, test) = rows(problem)
        var draw = Draw(
            seed: seed, .simulation, epoch: size, step: Int(theta * 1e6), sample: trial)
        var training: [(Int, Bool)] = []
        var validation: [(Int, Bool)] = []
        for sign in [true, false] {
            var own = pool.filter { truth(problem, $0) == sign }
            own.shuffle(using: &draw)
            let share = sign ? positiveShare : 1 - positiveShare
            let n = max(2, Int((Double(size) * share).rounded()))
            let v = max(1, n / 2)
            func flipped(_ rows: ArraySlice<Int>) -> [(Int, Bool)] {
                let wrong = Int(theta * Double(rows.count))
                return rows.enumerated().map { ($1, $0 < wrong ? !sign : sign) }
            }
            training += flipped(own[..<n])
            validation += flipped(own[n..<n + v])
        }
        let features = try problem.features.selecting(
            training.map(\.0) + validation.map(\.0) + test
        ).standardised(on: Array(training.indices))
        let first = training.count
        let second = first + validation.count
        var bench = Bench(
            training: features.matrix(Array(0..<first)),
            labels: training.map { $0.1 ? 1 : 0 },
            validation: features.matrix(Array(first..<second)),
            validationLabels: validation.map(\.1),
            test: features.matrix(Array(second..<features.count)),
            testLabels: test.map { truth(problem, $0) }, bias: bias)
        try bench.compress()
        var trials: [Trial] = []
        for onTest in oracle ? [true, false] : [false] {
            trials.append(try bench.search(stages: stages, onTest: onTest, others: others))
        }
        return trials
    }
}

extension FeatureSet {
    /// Only these rows, all of the training part.
    public func selecting(_ rows: [Int]) throws(Problem) -> FeatureSet {
        let d = dimension
        var kept: [Double] = []
        kept.reserveCapacity(rows.count * d)
        for i in rows { kept += values[i * d..<(i + 1) * d] }
        return try FeatureSet(
            name: name, values: kept, dimension: d, labels: rows.map { labels[$0] },
            classNames: classNames)
    }
}
