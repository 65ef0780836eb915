import Datasets
import Foundation
import Randomness

@testable import Audit

/// Samples of Gaussian classes with wrong labels, and what networks that learnt from other samples with labels as
/// wrong would say of them if they knew everything, but for being somewhat too sure.
struct SyntheticAudit {
    let truth: [Int]
    let labels: [Int]
    let rate: RateInterval
    let injection: LabelInjection
    let given: EvidenceTable
    let injected: EvidenceTable

    var wrong: [Bool] { zip(truth, labels).map { $0 != $1 } }
    var changed: [Bool] {
        var changed = [Bool](repeating: false, count: labels.count)
        for i in injection.changed { changed[i] = true }
        return changed
    }

    /// - Parameters:
    ///   - matrix: T[true][given]
    ///   - distance: between the means of classes.
    ///   - rateError: by how much the rate is thought to be larger than it is; nil: rate and matrix are
    ///     estimated.
    init(
        count: Int, matrix: [[Double]], distance: Double, seed: UInt64, rateError: Double? = 0
    ) throws {
        let c = matrix.count
        var draw = Draw(seed: seed, .tests)
        let truth = (0..<count).map { _ in draw.below(c) }
        let labels = truth.map { draw.index(weights: matrix[$0]) }
        let side = distance / 2.0.squareRoot()
        // log q of the true class.
        let q: [[Double]] = truth.map { y in
            let x = (0..<c).map { side * ($0 == y ? 1 : 0) + draw.normal() }
            let z = x.map { side * $0 }
            let top = z.max()!
            let sum = z.reduce(0) { $0 + exp($1 - top) }
            return z.map { exp($0 - top) / sum }
        }
        func data(_ labels: [Int], _ matrix: [[Double]]) throws -> OutOfSample {
            try OutOfSample(
                logProbabilities: q.flatMap { q in
                    (0..<c).map { b in
                        1.5 * log(max(1e-300, (0..<c).reduce(0) { $0 + q[$1] * matrix[$1][b] }))
                    }
                }, labels: labels, classes: c)
        }
        (self.truth, self.labels) = (truth, labels)
        let own = try data(labels, matrix)
        var known = matrix
        if let rateError {
            let share = matrix.indices.reduce(0) { $0 + 1 - matrix[$1][$1] } / Double(c)
            let thought = max(0, share + rateError)
            rate = RateInterval(
                estimate: thought, low: max(0, thought - 0.05), high: thought + 0.05)
        } else {
            let noise = NoiseEstimate(own)
            known = noise.transition
            rate = RateInterval(noise, count: count)
        }
        injection = LabelInjection(
            labels, among: Array(0..<count), transition: known, seed: seed)
        given = EvidenceTable(own, LabelPosterior(own, transition: known))
        let other = try data(injection.labels, injection.composed(with: matrix))
        injected = EvidenceTable(
            other, LabelPosterior(other, transition: injection.composed(with: known)))
    }

    static func symmetric(_ rate: Double, classes c: Int) -> [[Double]] {
        (0..<c).map { a in (0..<c).map { a == $0 ? 1 - rate : rate / Double(c - 1) } }
    }

    func model(seed: UInt64 = 1) -> WrongLabelModel {
        WrongLabelModel(
            given: given, injected: injected, changed: changed, rate: rate, seed: seed)
    }
}
