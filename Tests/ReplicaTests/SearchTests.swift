import Diagnostics
import Foundation
import Testing

@testable import Replica

/// Searches against the tables of an independent search (Nelder–Mead in Python over the same
/// equations).
@Suite struct SearchTests {
    static let isSlow = ProcessInfo.processInfo.environment["LIMBECK_SLOW"] == "1"

    /// θ, α, best 0-SD, 1-SD hard, 1-SD soft; cross-entropy, Δ = ½, ρ = ½.
    static let table: [(Double, Double, Double, Double, Double)] = [
        (0.1, 0.3, 0.22816, 0.22342, 0.21818), (0.1, 1, 0.14466, 0.13639, 0.13381),
        (0.1, 3, 0.10389, 0.09965, 0.09855), (0.1, 10, 0.08660, 0.08517, 0.08479),
        (0.2, 0.3, 0.27557, 0.26524, 0.25214), (0.2, 1, 0.18010, 0.15073, 0.14640),
        (0.2, 3, 0.12116, 0.10228, 0.10111), (0.2, 10, 0.09256, 0.08561, 0.08529),
        (0.3, 0.3, 0.33777, 0.32617, 0.30529), (0.3, 1, 0.24312, 0.18756, 0.17880),
        (0.3, 3, 0.16115, 0.11076, 0.10921), (0.3, 10, 0.10852, 0.08695, 0.08667),
        (0.4, 0.3, 0.41430, 0.40668, 0.38852), (0.4, 1, 0.35016, 0.28798, 0.27034),
        (0.4, 3, 0.26691, 0.15680, 0.15284), (0.4, 10, 0.17289, 0.09657, 0.09618),
    ]

    /// α and the best errors of 0-SD to 5-SD; squared loss, λ ≤ 300, Δ = ½, ρ = ½, θ = 0.3.
    static let squared: [(Double, [Double])] = [
        (0.1, [0.40168, 0.39218, 0.38909, 0.3890, 0.3890, 0.3890]),
        (0.3, [0.33783, 0.30534, 0.29241, 0.28683, 0.28451, 0.28384]),
        (1, [0.24335, 0.18153, 0.16312, 0.15688, 0.15483, 0.15437]),
        (3, [0.16167, 0.11350, 0.10559, 0.10431, 0.10425, 0.10425]),
        (10, [0.10929, 0.08862, 0.08640, 0.08628, 0.08628, 0.08628]),
    ]

    /// ρ, θ, α; best 0-SD learnt and b = 0; best hard 1-SD learnt, carried, b = 0.
    static let biases: [(Double, Double, Double, [Double])] = [
        (0.4, 0.3, 1, [0.27062, 0.24323, 0.25914, 0.21145, 0.18766]),
        (0.4, 0.3, 3, [0.20301, 0.16140, 0.17765, 0.12929, 0.11084]),
        (0.4, 0.4, 3, [0.28946, 0.26729, 0.25544, 0.17487, 0.15715]),
        (0.3, 0.3, 3, [0.19933, 0.16140, 0.18359, 0.12250, 0.11084]),
        (0.2, 0.2, 3, [0.14264, 0.12127, 0.13538, 0.09377, 0.10231]),
    ]

    private func search(
        _ alpha: Double, _ theta: Double, rho: Double = 0.5, loss: StageLoss = .crossEntropy,
        bias: BiasRule = .learnt, labels: HyperParameterSearch.Labels? = nil
    ) throws -> HyperParameterSearch {
        HyperParameterSearch(
            try NoisyMixture(
                sampleRatio: alpha, variance: 0.5, noiseRate: theta, positiveShare: rho),
            loss: loss, bias: bias, labels: labels)
    }

    /// Within 3e-4 of the table, and never above it by more than 1e-4.
    private func compare(_ found: Double, _ wanted: Double, _ what: String) {
        #expect(found < wanted + 1e-4 && found > wanted - 3e-4, "\(what): \(found), not \(wanted)")
    }

    private func crossEntropy(_ row: (Double, Double, Double, Double, Double)) throws {
        let (theta, alpha, zero, hard, soft) = row
        let what = "theta \(theta), alpha \(alpha)"
        let found = try search(alpha, theta).optima(last: 1)
        compare(found[0].error, zero, what)
        compare(found[1].error, hard, "\(what), hard")
        // With balanced classes the plain average is the best 0-SD: the search ends at infinity.
        #expect(found[0].bounds == [.init(name: "lambda", stage: 0, upper: true)])
        let softer = try search(alpha, theta, labels: .soft).optima(last: 1)
        compare(softer[1].error, soft, "\(what), soft")
        #expect(softer[1].error < found[1].error + 1e-6)
    }

    @Test func crossEntropySample() throws {
        try crossEntropy(Self.table[10])
    }

    @Test(.enabled(if: isSlow), arguments: table) func crossEntropyTable(
        _ row: (Double, Double, Double, Double, Double)
    ) throws { try crossEntropy(row) }

    private func squaredLoss(_ row: (Double, [Double])) throws {
        var search = try search(row.0, 0.3, loss: .squared)
        search.lambdaBounds = 1e-3...300
        let found = try search.optima(last: row.1.count - 1)
        for (k, (a, b)) in zip(found, row.1).enumerated() {
            compare(a.error, b, "alpha \(row.0), \(k)-SD")
        }
        for (a, b) in zip(found, found.dropFirst()) { #expect(b.error <= a.error + 1e-9) }
    }

    @Test func squaredSample() throws { try squaredLoss((3, [0.16167, 0.11350, 0.10559])) }

    @Test(.enabled(if: isSlow), arguments: squared) func squaredTable(_ row: (Double, [Double]))
        throws
    {
        try squaredLoss(row)
    }

    private func bias(_ row: (Double, Double, Double, [Double])) throws {
        let (rho, theta, alpha, wanted) = row
        let learnt = try search(alpha, theta, rho: rho).optima(last: 1)
        let carried = try search(alpha, theta, rho: rho, bias: .carried).optima(last: 1)
        let zero = try search(alpha, theta, rho: rho, bias: .fixed(0)).optima(last: 1)
        let found = [learnt[0], zero[0], learnt[1], carried[1], zero[1]].map(\.error)
        for (a, b) in zip(found, wanted) {
            #expect(abs(a - b) < 5e-4, "rho \(rho), theta \(theta): \(found)")
        }
    }

    /// Of the last row only the first stage, which is cheap.
    @Test func biasSample() throws {
        let learnt = try search(3, 0.2, rho: 0.2).optima(last: 0)
        let zero = try search(3, 0.2, rho: 0.2, bias: .fixed(0)).optima(last: 0)
        #expect(abs(learnt[0].error - 0.14264) < 5e-4 && learnt[0].bounds.isEmpty)
        #expect(abs(zero[0].error - 0.12127) < 5e-4)
    }

    @Test(.enabled(if: isSlow), arguments: biases) func biasTable(
        _ row: (Double, Double, Double, [Double])
    ) throws { try bias(row) }

    /// The stop rule: where a stage buys nothing, later ones repeat the one before.
    @Test func stops() throws {
        var search = try search(10, 0.3, loss: .squared)
        search.lambdaBounds = 1e-3...300
        search.stop = 1e-3
        let found = try search.optima(last: 5)
        #expect(found.map(\.isAdded) == [true, true, true, false, false, false])
        #expect(found[5].solution == found[2].solution)
    }

    @Test func workersDoNotMatter() throws {
        var search = try search(1, 0.2)
        search.workers = 1
        let stages = Self.isSlow ? 1 : 0
        let one = try search.optima(last: stages)
        search.workers = 3
        #expect(try search.optima(last: stages) == one)
    }

    /// Classes so far apart that a learnt bias runs away: hardly any point has a solution, and each such
    /// point costs as much as hundreds of others. A search that gives up ends, with an optimum or without.
    @Test(.timeLimit(.minutes(1))) func endsWhereNothingIsSolved() throws {
        let mixture = try NoisyMixture(
            sampleRatio: 1.22, variance: 0.0006, noiseRate: 0.0001, positiveShare: 0.25)
        var search = HyperParameterSearch(mixture, bias: .learnt, labels: .hard)
        search.mostFailures = 2
        search.resolution.perseveres = false
        let optima = (try? search.optima(last: 1)) ?? []
        #expect(optima.allSatisfy { $0.error.isFinite })
    }

    /// Where a learnt bias outweighs the features everywhere, hard labels are of one class: the search keeps
    /// 0-SD and says that it found nothing for 1-SD.
    @Test func nowhereASolution() throws {
        var own = try search(1, 0.45, rho: 0.1)
        own.lambdaBounds = 1e5...1e6
        own.mostFailures = 1
        own.resolution.perseveres = false
        own.workers = 1
        #expect(try own.solvedOptima(last: 1).count == 1)
        #expect(
            throws: Problem(
                .data, "the search found no point where the equations have a solution",
                at: .init(detail: ["1-SD"]),
                hint: "narrow the bounds of lambda, or change alpha, delta, theta or rho")
        ) { try own.optima(last: 1) }
    }
}
