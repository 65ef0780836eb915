import Datasets
import Randomness

/// One probability for each sample that its label is wrong, out of everything that speaks for it.
///
/// 1. Some labels were changed on purpose by the estimated transition matrix (`LabelInjection`), and networks
///    trained and judged again. `EvidenceWeights` learns on that round to tell changed labels, each part of the
///    samples by weights that did not see it; all of it gives the score of a given label.
/// 2. Two calibrations that share nothing but the noise rate: `InjectionCurve`, which takes wrong labels to look
///    like changed ones, and the mean of `LabelPosterior` along the list (made monotone), which believes the
///    networks. The probability is the mean of both. Where noise sits on unclear samples, the first is too sure
///    at the head of the list; where a class is always mistaken for one other, the second knows it.
/// 3. The interval of the precision: both calibrations at both ends of the interval of the noise rate, and twice
///    the standard error that resampling of the injection (samples of a group together) and the finite list give.
///
/// Measured on 20 audits (Fashion-MNIST, letter, tweets; no noise, symmetric, asymmetric and raters' noise; small
/// perceptrons, five folds, with training dynamics and neighbours in the evidence): the true precision at the
/// recommended length was in the interval in 19 and missed it by .003 in one; of the 18 with noise, the score was
/// above out-of-sample self-confidence in AUC and in F1 at equal length in all (asymmetric noise: AUC .92 for .85
/// and .99 for .89; symmetric: .97 to .99 for .96 to .99; raters: .77 for .75). The interval is .1 to .3 to either side
/// at that length; most of it is the noise rate, and only a sheet judged by a person makes it narrower.
public struct WrongLabelModel: Sendable {
    /// Log-odds of *changed*, on the given labels; larger is more suspicious.
    public let scores: [Double]
    /// Samples, the most suspicious first.
    public let order: [Int]
    /// P(label wrong) of each sample, falling along `order`.
    public let probabilities: [Double]
    public let precision: ListPrecision
    public let rate: RateInterval
    /// How well changed labels are told from others, as an AUC; nil where too few were changed to tell.
    public let injectedArea: Double?
    /// How much each column of the evidence counts, standardised; of columns that are known in both rounds.
    public let weights: [(column: String, weight: Double)]

    /// With fewer changed labels nothing is learnt from them: the posterior alone makes score and probability.
    public static let fewestChanged = 20
    private static let parts = 5
    private static let resamples = 50

    /// - Parameters:
    ///   - given: evidence of all samples that are judged.
    ///   - injected: of the same samples in the round with changed labels.
    ///   - changed: whose label was changed.
    public init(
        given: EvidenceTable, injected: EvidenceTable, changed: [Bool], rate: RateInterval,
        seed: UInt64
    ) {
        precondition(
            given.count == injected.count && changed.count == given.count && given.count > 0,
            "the same samples in both rounds")
        self.rate = rate
        let count = changed.count { $0 }
        let learns = min(count, changed.count - count) >= WrongLabelModel.fewestChanged
        let names = learns ? WrongLabelModel.shared(given, injected) : ["posterior"]
        let columns = WrongLabelModel.values(given, names)
        var curve: InjectionCurve?
        if learns {
            let other = WrongLabelModel.values(injected, names)
            let all = EvidenceWeights(other, changed: changed, samples: Array(changed.indices))
            scores = changed.indices.map { all.score(columns, $0) }
            weights = zip(names, all.coefficients).map { ($0, $1) }
            let honest = WrongLabelModel.crossFitted(other, changed, given.groups, seed)
            curve = InjectionCurve(scores: honest, changed: changed)
        } else {
            scores = columns[0]
            weights = [("posterior", 1)]
        }
        injectedArea = curve?.area
        order = InjectionCurve.order(scores)
        let calibration = Calibration(
            curve: curve, posterior: Isotonic.falling(order.map { given.posteriorWrong[$0] }),
            rate: rate.estimate)
        let along = calibration.probabilities(rate.estimate).mean
        var probabilities = [Double](repeating: 0, count: order.count)
        for (place, i) in order.enumerated() { probabilities[i] = along[place] }
        self.probabilities = probabilities
        precision = calibration.precision(
            rate, errors: curve.map { calibration.errors($0, given.groups, seed) })
    }

    /// By the posterior alone, where no label was changed: for the user's own test split, whose noise rate may be
    /// another and which no network learnt from.
    public init(given: EvidenceTable, rate: RateInterval) {
        self.init(
            given: given, injected: given,
            changed: [Bool](repeating: false, count: given.count), rate: rate, seed: 0)
    }

    /// Of its parts.
    ///
    /// - Parameter scores: larger is more suspicious.
    init(
        scores: [Double], probabilities: [Double], precision: ListPrecision, rate: RateInterval,
        injectedArea: Double? = nil, weights: [(column: String, weight: Double)] = []
    ) {
        (self.scores, self.probabilities, self.precision) = (scores, probabilities, precision)
        (self.rate, self.injectedArea, self.weights) = (rate, injectedArea, weights)
        order = InjectionCurve.order(scores)
    }

    // MARK: Learning

    /// Columns that both tables have and know something of.
    private static func shared(_ a: EvidenceTable, _ b: EvidenceTable) -> [String] {
        func known(_ table: EvidenceTable) -> [String] {
            table.columns.filter { $0.values.contains(where: \.isFinite) }.map(\.name)
        }
        let other = Set(known(b))
        return known(a).filter(other.contains)
    }

    private static func values(_ table: EvidenceTable, _ names: [String]) -> [[Double]] {
        names.map { name in table.columns.first { $0.name == name }!.values }
    }

    /// Scores by weights that were learnt from other samples; samples of a group share a part.
    private static func crossFitted(
        _ columns: [[Double]], _ changed: [Bool], _ groups: [Int]?, _ seed: UInt64
    ) -> [Double] {
        let part = changed.indices.map { i in
            var draw = Draw(seed: seed, .audit, epoch: Stream.parts, sample: groups?[i] ?? i)
            return draw.below(parts)
        }
        var scores = [Double](repeating: 0, count: changed.count)
        for k in 0..<parts {
            let rest = part.indices.filter { part[$0] != k }
            guard rest.count < part.count, !rest.isEmpty else { continue }
            let weights = EvidenceWeights(columns, changed: changed, samples: rest)
            for i in part.indices where part[i] == k { scores[i] = weights.score(columns, i) }
        }
        return scores
    }

    /// Which coordinate of `Draw` (its `epoch`) serves what. Never renumber.
    enum Stream {
        static let parts = 0
        static let resamples = 1
        static let permutations = 2
        static let sheet = 3
    }

    // MARK: Calibration

    /// Both calibrations along the list, at any noise rate.
    private struct Calibration {
        /// R′ along the list; nil without an injection.
        let slopes: [Double]?
        /// Falling, at the noise rate `rate`.
        let posterior: [Double]
        let rate: Double

        init(curve: InjectionCurve?, posterior: [Double], rate: Double) {
            slopes = curve?.slopes(count: posterior.count)
            (self.posterior, self.rate) = (posterior, rate)
        }

        func probabilities(_ other: Double) -> (
            byCurve: [Double]?, byPosterior: [Double], mean: [Double]
        ) {
            let moved = posterior.map { Calibration.moved($0, from: rate, to: other) }
            guard let slopes else { return (nil, moved, moved) }
            let own = slopes.map { min(1, other * $0) }
            return (own, moved, zip(own, moved).map { ($0 + $1) / 2 })
        }

        /// The probability after Bayes, if the prior were another.
        private static func moved(_ p: Double, from a: Double, to b: Double) -> Double {
            guard b > 0 else { return 0 }
            guard a > 0, a < 1, b < 1, p < 1 else { return p }
            let odds = p / (1 - p) * (b / (1 - b)) / (a / (1 - a))
            return odds / (1 + odds)
        }

        static func running(_ values: [Double]) -> [Double] {
            var sum = 0.0
            return values.enumerated().map { i, value in
                sum += value
                return sum / Double(i + 1)
            }
        }

        /// Standard deviation of the precision at every length over resamples of the injection.
        func errors(_ curve: InjectionCurve, _ groups: [Int]?, _ seed: UInt64) -> [Double] {
            let count = posterior.count
            var sums = [Double](repeating: 0, count: count)
            var squares = sums
            for resample in 0..<resamples {
                let weights = (0..<count).map { i in
                    var draw = Draw(
                        seed: seed, .audit, epoch: Stream.resamples, step: resample,
                        sample: groups?[i] ?? i)
                    return poisson(&draw)
                }
                let own = Calibration.running(
                    curve.slopes(count: count, weights: weights).map { min(1, rate * $0) })
                for i in 0..<count {
                    sums[i] += own[i]
                    squares[i] += own[i] * own[i]
                }
            }
            let n = Double(resamples)
            return zip(sums, squares).map { max(0, $1 / n - ($0 / n) * ($0 / n)).squareRoot() }
        }

        /// A Poisson number of mean 1: how often a sample is drawn when as many are drawn as there are.
        private func poisson(_ draw: inout Draw) -> Double {
            let u = draw.uniform()
            var (k, term, sum) = (0.0, 0.36787944117144233, 0.36787944117144233)
            while u >= sum, k < 20 {
                k += 1
                term /= k
                sum += term
            }
            return k
        }

        func precision(_ interval: RateInterval, errors: [Double]?) -> ListPrecision {
            let all = probabilities(rate).mean
            let expected = Calibration.running(all)
            let (least, most) = (ends(interval.low, min), ends(interval.high, max))
            var (low, high): ([Double], [Double]) = ([], [])
            for (i, p) in expected.enumerated() {
                let drawn = p * (1 - p) / Double(i + 1)
                let error = 2 * ((errors?[i] ?? 0) * (errors?[i] ?? 0) + drawn).squareRoot()
                low.append(min(p, max(0, least[i] - error)))
                high.append(max(p, min(1, most[i] + error)))
            }
            return ListPrecision(
                expected: expected, low: low, high: high, wrong: all.reduce(0, +))
        }

        /// The least or most of what both calibrations say at a noise rate.
        private func ends(_ rate: Double, _ chosen: (Double, Double) -> Double) -> [Double] {
            let both = probabilities(rate)
            let posterior = Calibration.running(both.byPosterior)
            guard let own = both.byCurve.map(Calibration.running) else { return posterior }
            return zip(own, posterior).map(chosen)
        }
    }
}
