import Foundation

/// How many given labels are wrong, and how, from predictions of networks that did not see the samples.
///
/// The confident joint counts whatever networks are confidently wrong about as wrong labels, and so says too
/// much: 10 % for clean labels that the networks are right about in 84 of 100 cases. Here the transition
/// matrix T and a correction of the networks' sureness are found together, by maximum likelihood of the given
/// labels (`TransitionFit`): what T explains is noise, what the unsure prediction explains is not.
///
/// 1. T with all entries free is fitted. Entries that stand out from their row are ordered by size.
/// 2. T is fitted again with the first m of them free, for some m from none to all; the rest of a row is
///    even. The fit with the largest log-likelihood − 3 m is taken: an entry has to gain three nats.
/// 3. The fit may take noise for doubt: networks whose probabilities are just right for wrong labels too
///    leave nothing for T to explain. But where they are surest they are right, and what labels are wrong
///    there are wrong indeed (`SurestSamples`, the surest fifth of each predicted class). Where the two rates
///    differ by more than two standard errors, the joint is moved towards the surest samples until they do
///    not.
/// 4. The joint is four fifths of that and one fifth of the confident joint.
///
/// Noise that sits on samples that networks are unsure of cannot be told from the networks' own doubt: steps
/// 1 to 3 take it for doubt, the confident joint takes all doubt for noise. Both fifths, the two standard
/// errors and the three nats are choices, made on other samples and seeds than those of
/// `Documentation/noise-rate.md`, which has what they cost and where they fail.
public struct NoiseEstimate: Codable, Equatable, Sendable {
    /// Expected share of samples [true][given]; the sum of all is 1.
    public let joint: [[Double]]
    /// T[true][given], rows sum to 1. A class that no sample is expected of keeps its labels.
    public let transition: [[Double]]
    /// Share of samples of each true class.
    public let prior: [Double]
    /// Share of labels that are wrong, over all samples.
    public let rate: Double
    /// Standard error of `rate` from the draw of the samples alone (a jackknife over ten parts); nil for
    /// fewer samples than that. What the assumptions cost is not in it.
    public let rateError: Double?
    /// The same of each entry of `transition`.
    public let transitionErrors: [[Double]]?
    /// The rate of the fit: if all noise were independent of the sample, given its class.
    public let classConditionalRate: Double
    /// Share of wrong labels among the samples that networks are surest of.
    public let surestRate: Double
    /// The rate if networks were never confidently wrong.
    public let confidentRate: Double
    /// Entries of T off the diagonal that do not share the rest of their row evenly.
    public let freeEntries: Int
    /// `OutOfSample.skill`
    public let skill: Double?

    /// Nats that an entry of T with a value of its own has to gain.
    static let cost = 3.0
    /// How far the fit may be from the surest samples, in standard errors.
    static let slack = 2.0
    /// Of the samples that are predicted as a class.
    static let surestShare = 0.2
    /// Weight of the confident joint.
    static let confidentShare = 0.2
    private static let parts = 10

    public init(_ data: OutOfSample) {
        let confident = ConfidentJoint(data)
        let (fit, free) = Self.chosen(data, confident)
        let surest = SurestSamples(data, share: Self.surestShare)
        let joint = Self.blended(fit, surest, confident)
        let c = data.classes
        self.joint = joint
        transition = Self.transition(of: joint)
        prior = joint.map { $0.reduce(0, +) }
        rate = Self.rate(of: joint)
        classConditionalRate = max(0, fit.rate)
        surestRate = min(1, max(0, surest.rate))
        confidentRate = Self.rate(of: confident.joint)
        freeEntries = free.count { $0 }
        skill = data.skill
        guard data.count >= Self.parts, c > 1 else {
            (rateError, transitionErrors) = (nil, nil)
            return
        }
        let parts = (0..<Self.parts).map { part in
            Self.withoutPart(part, data, fit, free)
        }
        rateError = Self.jackknife(parts.map(Self.rate(of:)))
        let rows = parts.map(Self.transition(of:))
        transitionErrors = (0..<c).map { a in
            (0..<c).map { b in Self.jackknife(rows.map { $0[a][b] }) }
        }
    }

    // MARK: Which entries are free

    private static func chosen(
        _ data: OutOfSample, _ confident: ConfidentJoint
    ) -> (TransitionFit, free: [Bool]) {
        let c = data.classes
        let off = (0..<c * c).map { $0 / c != $0 % c }
        var full = TransitionFit(
            samples: data.count, transition: start(confident.joint), classes: c)
        full.fit(data, free: off, iterations: 200)
        let entries = outstanding(full, samples: data.count)
        var best: (fit: TransitionFit, free: [Bool], score: Double)?
        for count in steps(to: entries.count) {
            var free = [Bool](repeating: false, count: c * c)
            for entry in entries.prefix(count) { free[entry] = true }
            var fit = full
            fit.transition = evened(full.transition, free, classes: c)
            fit.fit(data, free: free, iterations: 120)
            let score = fit.logLikelihood - cost * Double(count)
            if score > best?.score ?? -.infinity { best = (fit, free, score) }
        }
        return (best!.fit, best!.free)
    }

    /// 0, 1, 2, 3, 4, 6, 9, …, `count`.
    private static func steps(to count: Int) -> [Int] {
        var steps = [0]
        var next = 1
        while next < count {
            steps.append(next)
            next = max(next + 1, next * 8 / 5)
        }
        return count > 0 ? steps + [count] : steps
    }

    /// Entries off the diagonal that could gain more than their cost against the mean of their row, the
    /// largest first.
    private static func outstanding(_ fit: TransitionFit, samples: Int) -> [Int] {
        let c = fit.classes
        // A row with one entry off the diagonal is even already.
        guard c > 2 else { return [] }
        let counts = fit.joint.map { $0 * Double(samples) }
        var entries: [Int] = []
        for a in 0..<c {
            let row = (0..<c).filter { $0 != a }.sorted {
                (counts[a * c + $1], $0) < (counts[a * c + $0], $1)
            }
            var rest = row.reduce(0) { $0 + counts[a * c + $1] }
            for (i, b) in row.dropLast().enumerated() {
                let (count, even) = (counts[a * c + b], rest / Double(c - 1 - i))
                guard count > even, count * log(count / even) - (count - even) > cost else { break }
                entries.append(a * c + b)
                rest -= count
            }
        }
        return entries.sorted { (counts[$1], $0) < (counts[$0], $1) }
    }

    /// T with what is not free spread evenly over its row.
    private static func evened(_ rows: [Double], _ free: [Bool], classes c: Int) -> [Double] {
        var rows = rows
        for a in 0..<c {
            let even = (0..<c).filter { $0 != a && !free[a * c + $0] }
            let sum = even.reduce(0) { $0 + rows[a * c + $1] }
            for b in even { rows[a * c + b] = sum / Double(even.count) }
        }
        return rows
    }

    /// T of the confident joint, with a tenth spread evenly so that no entry is stuck at 0.
    private static func start(_ joint: [[Double]]) -> [Double] {
        let c = joint.count
        return transition(of: transposed(joint)).flatMap { row in
            row.map { 0.9 * $0 + 0.1 / Double(c) }
        }
    }

    // MARK: What comes of it

    /// [true][given]: the fit, as far as the surest samples allow, and the confident joint.
    private static func blended(
        _ fit: TransitionFit, _ surest: SurestSamples, _ confident: ConfidentJoint
    ) -> [[Double]] {
        let c = fit.classes
        let gap = surest.rate - fit.rate
        let excess = abs(gap) - slack * surest.rateError
        let share = excess > 0 ? excess / abs(gap) : 0
        return (0..<c).map { a in
            (0..<c).map { b in
                let own = (1 - share) * fit.joint[a * c + b] + share * surest.joint[a][b]
                return (1 - confidentShare) * own + confidentShare * confident.joint[b][a]
            }
        }
    }

    /// The joint [true][given] without every tenth sample from `part` on.
    private static func withoutPart(
        _ part: Int, _ data: OutOfSample, _ fit: TransitionFit, _ free: [Bool]
    ) -> [[Double]] {
        let kept = data.subset((0..<data.count).filter { $0 % parts != part })
        var own = fit.restarted(samples: kept.count)
        own.fit(kept, free: free, iterations: 40)
        return blended(
            own, SurestSamples(kept, share: surestShare), ConfidentJoint(kept))
    }

    /// √((n − 1)/n Σ (x_j − x̄)²) over n estimates, each without another part.
    private static func jackknife(_ values: [Double]) -> Double {
        let n = Double(values.count)
        let mean = values.reduce(0, +) / n
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return ((n - 1) / n * squares).squareRoot()
    }

    private static func rate(of joint: [[Double]]) -> Double {
        min(1, max(0, 1 - joint.indices.reduce(0) { $0 + joint[$1][$1] }))
    }

    private static func transition(of joint: [[Double]]) -> [[Double]] {
        joint.enumerated().map { a, row in
            let sum = row.reduce(0, +)
            return row.indices.map { b in sum > 1e-12 ? row[b] / sum : (a == b ? 1 : 0) }
        }
    }

    private static func transposed(_ rows: [[Double]]) -> [[Double]] {
        rows.indices.map { a in rows.map { $0[a] } }
    }
}
