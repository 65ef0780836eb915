import Diagnostics
import Distillation
import Foundation
import Randomness
import Replica
import Torch
import Training

/// What the theory of self-distillation advises for a training set, and how well it describes it.
public struct Advice: Sendable {
    /// What to ask.
    public struct Question: Sendable {
        /// θ, if known; estimated otherwise.
        public var noiseRate: Double?
        /// Most stages after stage 0.
        public var stages = 3
        /// nil: where the covariance is far from isotropic.
        public var whiten: Bool?
        public var folds = 5
        public var seed: UInt64 = 0
        public var workers = ProcessInfo.processInfo.activeProcessorCount

        public init() {}
    }

    /// A kind of self-distillation, with its best schedule by theory.
    public struct Option: Sendable {
        public var labels: HyperParameterSearch.Labels
        public var bias: BiasRule
        /// 0-SD, 1-SD, …
        public var optima: [HyperParameterSearch.Optimum]

        /// Fewest stages whose error is within `Advice.worthwhile` of the best.
        public var stages: Int {
            let best = optima.map(\.error).min() ?? 1
            return optima.firstIndex { $0.error <= best + Advice.worthwhile } ?? 0
        }
        public var error: Double { optima[stages].error }
    }

    /// Predicted and cross-validated error of one stage, or of stage 0 at one λ.
    public struct Point: Sendable {
        public var stage: Int
        public var lambda: Double
        /// On given labels: θ + (1 − 2θ)ε. No number where the equations were not solved.
        public var predicted: Double
        public var measured: FiniteSimulation.Mean
        /// On clean labels: ε. Measured where clean labels are known.
        public var predictedClean: Double
        public var measuredClean: FiniteSimulation.Mean?
    }

    /// A stage has to gain so much error to be advised.
    public static let worthwhile = 0.001
    /// Relative variance of covariance eigenvalues above which features are whitened.
    public static let mostAnisotropy = 0.1
    /// The picture fits up to this distance of margins' distributions. A system of N dimensions strays
    /// from the theory by itself: in simulations the error's standard deviation from draw to draw is
    /// about 0.35/√N (0.016 at N = 500), which folds of one draw do not show.
    public var distanceBar: Double { 0.05 + 1 / Double(dimension).squareRoot() }
    /// The same for errors on given labels, beyond three standard errors over folds.
    public var missBar: Double { 0.02 + 0.7 / Double(dimension).squareRoot() }
    /// λ of the curve and of the margins.
    static let curve = [0.01, 0.1, 1, 10, 100]

    public let estimate: MixtureEstimate
    public let anisotropy: Double
    public let shrinkage: Double?
    public let options: [Option]
    /// The one with the least error; the simplest within `worthwhile` of it.
    public let chosen: Int
    /// Stage 0 over λ.
    public let lambdaCurve: [Point]
    /// The advised schedule, stage by stage.
    public let stageCurve: [Point]
    /// Kolmogorov and Smirnov's distance between held-out margins of stage 0 (λ = 1) and the theory's
    /// two Gaussians.
    public let marginDistance: Double
    /// N
    public let dimension: Int
    /// Multiply λ by this for the same fit on features as they are: |a|²N.
    public let penaltyScale: Double

    public var option: Option { options[chosen] }
    public var optimum: HyperParameterSearch.Optimum { option.optima[option.stages] }

    /// Largest difference of predicted and measured error on given labels, in the points of λ ≥ 0.1
    /// and the stages, that three standard errors do not explain.
    public var miss: Double {
        (lambdaCurve.filter { $0.lambda >= 0.1 } + stageCurve).filter { !$0.predicted.isNaN }.map {
            let gap = abs($0.predicted - $0.measured.mean)
            return gap <= 3 * ($0.measured.error.isFinite ? $0.measured.error : 0) ? 0 : gap
        }.max() ?? 0
    }

    public var fits: Bool {
        estimate.converged && marginDistance <= distanceBar && miss <= missBar
            && stageCurve.allSatisfy { !$0.predicted.isNaN }
    }

    /// All that was predicted and measured.
    public var points: [Point] { lambdaCurve + stageCurve }

    /// - Parameters:
    ///   - features: [M, N], float64.
    ///   - given: labels, true for the positive class.
    ///   - clean: true labels where known, only measured against.
    public init(
        features: Tensor, given: [Bool], clean: [Bool]?, question: Question = Question()
    ) throws(Problem) {
        guard (1...4).contains(question.stages) else {
            throw .outOfRange("stages", found: "\(question.stages)", expected: "1 to 4")
        }
        guard (2...20).contains(question.folds), given.count >= 10 * question.folds else {
            throw .outOfRange(
                "folds", found: "\(question.folds) of \(given.count) samples",
                expected: "2 to 20, of 10 samples at least")
        }
        let whitening = try Whitening(features: features, labels: given)
        let whitens = question.whiten ?? (whitening.anisotropy > Advice.mostAnisotropy)
        let cloud = whitens ? try whitening.map()(features) : features
        // In what chance alone makes, the search for a schedule finds no end and nothing.
        guard Advice.tellsApart(cloud, given, whitened: whitens) else { throw .noSignal() }
        let estimate = try MixtureEstimate(
            features: cloud, labels: given, noiseRate: question.noiseRate)
        let searched = try Advice.searched(estimate.mixture, given.count)
        let options = try Advice.options(searched, question)
        let best = options.map(\.error).min() ?? 1
        let chosen = options.firstIndex { $0.error <= best + Advice.worthwhile } ?? 0
        let option = options[chosen]
        let schedule = option.optima[option.stages].schedule
        let held = try HeldOut(
            features: features, given: given, clean: clean, whitens: whitens, estimate: estimate,
            question: question)
        // At large λ a learnt bias outweighs the features and follows the chance surplus of a fold's
        // labels, which says nothing about the picture: where classes count as balanced it is held.
        let bias: BiasRule = searched.positiveShare == 0.5 ? .fixed(0) : .learnt
        var lambdaCurve: [Point] = []
        var distance = 1.0
        for lambda in Advice.curve {
            let (points, own) = try held.compare(Schedule(lambdas: [lambda], bias: bias))
            lambdaCurve += points
            if lambda == 1 { distance = own }
        }
        stageCurve = try held.compare(schedule).points
        self.lambdaCurve = lambdaCurve
        marginDistance = distance
        self.estimate = estimate
        self.options = options
        self.chosen = chosen
        anisotropy = whitening.anisotropy
        shrinkage = whitens ? whitening.shrinkage : nil
        dimension = features.shape[1]
        penaltyScale =
            estimate.halfDistance * estimate.halfDistance * Double(features.shape[1])
    }

    /// A ρ that M samples cannot tell from ½ (two standard errors of a share) counts as ½: the optimum for
    /// 0.51 shuns large λ, where a learnt bias would outweigh the features, that for ½ seeks it.
    static func searched(_ mixture: NoisyMixture, _ samples: Int) throws(Problem) -> NoisyMixture {
        guard abs(mixture.positiveShare - 0.5) < 1 / Double(samples).squareRoot() else {
            return mixture
        }
        return try NoisyMixture(
            sampleRatio: mixture.sampleRatio, variance: mixture.variance,
            noiseRate: mixture.noiseRate)
    }

    /// Every kind searched in the estimated mixture, the simple ones first. For balanced classes the
    /// theory has b = 0 whatever the rule; held there, finite samples obey it at every λ.
    static func options(_ mixture: NoisyMixture, _ question: Question) throws(Problem) -> [Option] {
        var list: [Option] = []
        var unsolvable: [BiasRule] = []
        for labels in [HyperParameterSearch.Labels.hard, .soft] {
            let rules: [BiasRule] =
                mixture.positiveShare == 0.5 ? [.fixed(0)] : [.carried, .learnt]
            for bias in rules where !unsolvable.contains(bias) {
                var search = HyperParameterSearch(mixture, bias: bias, labels: labels)
                search.workers = question.workers
                search.stop = Advice.worthwhile / 10
                search.mostFailures = 2
                search.resolution.perseveres = false
                search.searchResolution.perseveres = false
                // A soft label has two hyper-parameters a stage; past the first it hardly gains.
                let last = labels == .soft ? min(1, question.stages) : question.stages
                // A searched optimum may be a point where the equations have no solution.
                guard var optima = try? search.optima(last: min(1, last)) else {
                    unsolvable.append(bias)
                    continue
                }
                // More stages are the dear part of the search: not for a kind that is behind.
                let best = list.compactMap { $0.optima.count > 1 ? $0.optima[1].error : nil }.min()
                if last > 1, optima[1].error < (best ?? 1) {
                    optima = (try? search.optima(last: last)) ?? optima
                }
                list.append(Option(labels: labels, bias: bias, optima: optima))
            }
        }
        if list.isEmpty {
            let plain = HyperParameterSearch(mixture, bias: .carried)
            list.append(Option(labels: .hard, bias: .carried, optima: try plain.optima(last: 0)))
        }
        return list
    }

    /// Whether the class means lie further apart than 99 of 100 sets without any difference would have
    /// them: Hotelling's test for whitened features, its form for equal variances for others, with
    /// Paulson's approximation of the F distribution. True where there are too few samples to tell.
    ///
    /// - Parameter features: [M, N].
    static func tellsApart(_ features: Tensor, _ given: [Bool], whitened: Bool) -> Bool {
        let (m, n) = (Double(features.shape[0]), Double(features.shape[1]))
        let freedom = whitened ? m - n - 1 : (m - 2) * n
        guard freedom >= 3 else { return true }
        return withoutGradient {
            let parts = [true, false].map { sign in
                let rows = given.indices.filter { given[$0] == sign }
                return features.indexed(0, by: Tensor(rows, [rows.count]))
            }
            let counts = parts.map { Double($0.shape[0]) }
            let means = parts.map { $0.mean(0, keep: true) }
            let within = zip(parts, means).reduce(0.0) { $0 + ($1.0 - $1.1).squared().sum().item }
            let variance = within / ((m - 2) * n)
            guard variance > 0 else { return true }
            let apart =
                (means[0] - means[1]).squared().sum().item
                / (variance * (1 / counts[0] + 1 / counts[1]))
            let ratio = whitened ? apart * freedom / ((m - 2) * n) : apart / n
            let (a, b) = (2 / (9 * n), 2 / (9 * freedom))
            let root = pow(ratio, 1.0 / 3)
            return ((1 - b) * root - (1 - a)) / (b * root * root + a).squareRoot() > 2.33
        }
    }
}
