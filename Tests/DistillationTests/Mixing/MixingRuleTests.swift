import Randomness
import TestSupport
import Testing
import Torch

@testable import Distillation

@Suite(.takesTurns) struct MixingRuleTests {
    @Test func weightsByHand() throws {
        try withNoLeaks {
            func weights(_ rule: MixingRule, _ row: [Double]) -> [Double] {
                rule.weights(Tensor(row, [1, row.count])).doubles()
            }
            try expectClose(weights(.convexClamp, [0.25]), [0.75, 0.25], 0)
            // Several teachers: 1 − max, the sum is above 1.
            try expectClose(weights(.convexClamp, [0.5, 0.75]), [0.25, 0.5, 0.75], 0)
            try expectClose(weights(.convexSigmoid, [0]), [0.5, 0.5], 0)
            try expectClose(weights(.convexSigmoid, [0, 1e3]), [0, 0.5, 1], 0)
            try expectClose(weights(.softmax, [0, 0, 0]), [1.0 / 3, 1.0 / 3, 1.0 / 3], 1e-15)
            // f(0) = 1, f(2) = 5, f(−2) = 1
            try expectClose(
                weights(.taylorSoftmax, [0, 2, -2]), [1.0 / 7, 5.0 / 7, 1.0 / 7], 1e-15)
            try expectClose(weights(.box, [1.5, 0.25]), [1.5, 0.25], 0)
            try expectClose(weights(.simplex, [0.5, 0.5]), [0.5, 0.5], 0)
            try expectClose(
                MixingRule.box.projected(Tensor([-1.0, 0.5, 3], [1, 3])).doubles(), [0, 0.5, 2], 0)
            try expectClose(
                MixingRule.convexClamp.projected(Tensor([-1.0, 0.5, 3], [1, 3])).doubles(),
                [0, 0.5, 1], 0)
        }
    }

    /// ∂M/∂λ_m = m_m − [m = arg max] m_0, not m_m − m_0 for every m as in the released code.
    @Test func maxRule() throws {
        try withNoLeaks {
            let slopes = Tensor([5.0, 1, 2, 3], [1, 4])
            let shares = Tensor([0.2, 0.7, 0.4], [1, 3])
            try expectClose(
                MixingRule.convexClamp.pulledBack(slopes, at: shares).doubles(), [1, 2 - 5, 3], 0)
            // Ties: the first of the largest.
            let tied = Tensor([0.7, 0.7, 0.4], [1, 3])
            try expectClose(
                MixingRule.convexClamp.pulledBack(slopes, at: tied).doubles(), [1 - 5, 2, 3], 0)
        }
    }

    /// Parameters made for weights give them back.
    @Test(arguments: MixingRule.allCases) func parametersForWeights(_ rule: MixingRule) throws {
        try withNoLeaks {
            let weights = Tensor([0.1, 0.9, 0.5, 0.5, 0.75, 0.25], [3, 2])
            try expectClose(rule.weights(rule.parameters(for: weights)), weights, 1e-12)
            // Borders are kept where they can be left again, and are near elsewhere.
            let border = rule.weights(rule.parameters(for: Tensor([0.0, 1], [1, 2])))
            try expectClose(border, Tensor([0.0, 1], [1, 2]), 1.1e-3)
            let three = rule.weights(rule.parameters(for: Tensor([0.2, 0.4, 0.4], [1, 3])))
            let expected =
                rule == .convexClamp || rule == .convexSigmoid ? [0.6, 0.4, 0.4] : [0.2, 0.4, 0.4]
            try expectClose(three.doubles(), expected, 1e-12)
        }
    }

    /// The projection against every face of the simplex: the nearest of the projections onto
    /// the faces' planes that are on the simplex.
    @Test(arguments: [2, 3, 5]) func simplexProjection(_ count: Int) throws {
        try withNoLeaks {
            var draw = Draw(seed: 17, .tests)
            let points = (0..<300).map { i in
                (0..<count).map { _ in draw.normal() * (i % 3 == 0 ? 0.2 : 2) }
            }
            let found = projectedToSimplex(matrix(points)).doubles()
            for (i, point) in points.enumerated() {
                var best: (distance: Double, point: [Double]) = (.infinity, [])
                for face in 1..<(1 << count) {
                    let members = (0..<count).filter { face >> $0 & 1 == 1 }
                    let excess =
                        (members.reduce(0) { $0 + point[$1] } - 1) / Double(members.count)
                    let candidate = (0..<count).map {
                        members.contains($0) ? point[$0] - excess : 0
                    }
                    guard candidate.allSatisfy({ $0 >= -1e-15 }) else { continue }
                    let distance = zip(point, candidate).reduce(0) {
                        $0 + ($1.0 - $1.1) * ($1.0 - $1.1)
                    }
                    if distance < best.distance { best = (distance, candidate) }
                }
                try expectClose(
                    Array(found[i * count..<(i + 1) * count]), best.point, 1e-12, "\(point)")
            }
        }
    }

    /// Two losses: convex clamp, simplex and both kinds of box move as their gradients say.
    @Test func rulesThatMustSumToOne() throws {
        try withNoLeaks {
            for rule in MixingRule.allCases {
                for losses in [2, 3] where rule.sumsToOne(losses: losses) {
                    let raw = uniforms([50, rule.parameterCount(losses: losses)], -2, 2, seed: 18)
                    let sums = rule.weights(rule.projected(raw)).sum(1).doubles()
                    try expectClose(sums, [Double](repeating: 1, count: 50), 1e-12)
                }
            }
            #expect(!MixingRule.box.sumsToOne(losses: 2))
            #expect(!MixingRule.convexClamp.sumsToOne(losses: 3))
        }
    }
}
