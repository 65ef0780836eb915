import Diagnostics
import Foundation
import Randomness
import TestSupport
import Testing
import Torch

@testable import Distillation
@testable import Training

/// Losses against wrong labels: their numbers, their gradients, and what they become at the ends of their
/// parameters.
@Suite(.takesTurns) struct LabelLossTests {
    private let z: Tensor
    private let labels: Tensor

    init() throws {
        let inputs = try MethodVectors("inputs")
        z = try inputs.matrix("Z1")
        labels = Tensor(try inputs.ints("Y"), [6])
    }

    /// The matrix of the vectors, with zeros in it.
    private static let matrix = [
        [0.7, 0.1, 0.1, 0.1], [0.05, 0.8, 0.1, 0.05], [0.2, 0, 0.7, 0.1], [0, 0.1, 0.2, 0.7],
    ]
    private static func transition(_ rows: [[Double]]) throws -> Transition {
        .given(try TransitionMatrix(rows))
    }

    private static func losses() throws -> [(name: String, loss: LabelLoss)] {
        let transition = try transition(matrix)
        return [
            ("smoothed", .crossEntropy(smoothing: 0.3)),
            ("smoothed over others", .crossEntropy(smoothing: 0.3, over: .others)),
            ("gce", .generalised()), ("gce, q small", .generalised(q: 1e-10)),
            ("sce of the paper", .symmetric()),
            ("sce of the code", .symmetric(logZero: LabelLoss.codeLogZero)),
            ("bootstrap-soft", .bootstrapSoft()), ("bootstrap-soft .2", .bootstrapSoft(beta: 0.2)),
            ("bootstrap-hard", .bootstrapHard()), ("forward", .forward(transition)),
            ("backward", .backward(transition)), ("confidence-penalty", .confidencePenalty()),
            ("confidence-penalty 1", .confidencePenalty(weight: 1)),
        ]
    }

    // MARK: Vectors

    /// Per sample in both precisions; gradients of the mean are central differences in the vectors.
    private func expect(
        _ loss: LabelLoss, _ values: [Double], gradient: [Double]? = nil, _ name: String
    ) throws {
        for (dtype, tolerance) in [(DType.float64, 1e-12), (.float32, 1e-5)] {
            let found = loss(Logits(z.to(dtype)), labels: labels)
            #expect(found.values.dtype == dtype && found.gradient.dtype == dtype)
            try expectClose(found.values.doubles(), values, tolerance, name)
            guard let gradient else { continue }
            try expectClose(
                (found.gradient / 6).doubles(), gradient, max(tolerance, 1e-8), name)
        }
    }

    @Test func vectors() throws {
        try withNoLeaks {
            let gce = try MethodVectors("gce")
            try expect(
                .generalised(q: 0.7), gce.numbers("per_sample"),
                gradient: gce.numbers("grad_logits_of_mean"), "gce")
            let sce = try MethodVectors("sce")
            let (ce, rce) = (try sce.numbers("ce"), try sce.numbers("rce"))
            try expect(.crossEntropy(), ce, "ce")
            try expect(
                .symmetric(logZero: LabelLoss.codeLogZero), zip(ce, rce).map { 0.1 * $0 + $1 },
                gradient: sce.numbers("grad_logits_of_mean"), "sce")
            #expect(abs(LabelLoss.codeLogZero - log(1e-4)) < 1e-15)
            // The paper's floor: the reverse term is 4/9.21 of the code's.
            let factor = LabelLoss.paperLogZero / LabelLoss.codeLogZero
            try expect(.symmetric(), zip(ce, rce).map { 0.1 * $0 + factor * $1 }, "sce, paper")
            let bootstrap = try MethodVectors("bootstrap")
            try expect(
                .bootstrapSoft(), bootstrap.numbers("soft"),
                gradient: bootstrap.numbers("grad_soft_through_target"), "soft")
            try expect(
                .bootstrapSoft(stopsGradient: true), bootstrap.numbers("soft"),
                gradient: bootstrap.numbers("grad_soft_target_fixed"), "soft, stopped")
            try expect(.bootstrapHard(), bootstrap.numbers("hard"), "hard")
            let correction = try MethodVectors("forward_backward")
            let transition = try Self.transition(Self.matrix)
            try expect(
                .forward(transition), correction.numbers("forward"),
                gradient: correction.numbers("forward_grad"), "forward")
            try expect(.backward(transition), correction.numbers("backward"), "backward")
            try expectClose(
                try #require(transition.matrix.inverse).flatMap(\.self),
                correction.numbers("T_inverse"), 1e-12)
            let smoothing = try MethodVectors("label_smoothing")
            try expect(.crossEntropy(smoothing: 0.1), smoothing.numbers("per_sample"), "smoothing")
            // CE plus the mean of Σ p log p.
            let penalty = try MethodVectors("dividemix").number("neg_entropy_Z1")
            let penalised = LabelLoss.confidencePenalty(weight: 1)(Logits(z), labels: labels)
            try expectClose(
                [penalised.values.mean().item], [ce.reduce(0, +) / 6 + penalty], 1e-12)
        }
    }

    @Test func anchors() throws {
        try withNoLeaks {
            let vector = try MethodVectors("anchor_transition")
            let p = Probabilities(try vector.matrix("probabilities", rows: 40))
            func rows(_ options: AnchorOptions) throws -> [Double] {
                try anchorTransition(p, options).rows.flatMap(\.self)
            }
            try expectClose(
                rows(.init(filtersOutliers: false)), vector.numbers("plain"), 1e-12)
            try expectClose(
                rows(.init(filtersOutliers: true)), vector.numbers("percentile97"), 1e-12)
            // Three classes have samples enough to leave some out.
            try expectClose(rows(.init()), vector.numbers("percentile97"), 1e-12)
            let half = try vector.numbers("plain").enumerated().map { i, value in
                0.5 * value + (i % 4 == 0 ? 0.5 : 0)
            }
            try expectClose(rows(.init(filtersOutliers: false, identity: 0.5)), half, 1e-12)
            // Of equals the first sample, whatever their order is in memory.
            let ties = Probabilities(Tensor([0.6, 0.4, 0.6, 0.4, 0.3, 0.7, 0.3, 0.7], [4, 2]))
            let first = try anchorTransition(ties, .init(filtersOutliers: false))
            #expect(first.rows == [[0.6, 0.4], [0.3, 0.7]])
        }
    }

    // MARK: Gradients

    @Test func finiteDifferences() throws {
        try withNoLeaks {
            for (name, loss) in try Self.losses() {
                let gradient = loss(Logits(z), labels: labels).gradient
                let expected = MethodVectors.differences(z, step: 1e-5) {
                    loss(Logits($0), labels: labels).values.sum().item
                }
                try expectClose(gradient.doubles(), expected, 2e-8, name)
            }
        }
    }

    /// What training uses has the same values, and passes the same gradient on.
    @Test func trainingLoss() throws {
        try withNoLeaks {
            for (name, loss) in try Self.losses() {
                let leaf = z.cloned()
                leaf.requiresGrad = true
                let values = loss.trainingLoss(Logits(leaf * 0.5), labels: labels)
                let closed = loss(Logits(z * 0.5), labels: labels)
                try expectClose(values, closed.values, 1e-12, name)
                values.sum().backward()
                try expectClose(
                    try #require(leaf.gradient), closed.gradient * 0.5, 1e-12, name)
            }
        }
    }

    /// Wherever the largest logits are.
    @Test(arguments: [DType.float64, .float32]) func extremeLogitsStayFinite(_ dtype: DType) throws
    {
        try withNoLeaks {
            var draw = Draw(seed: 3, .tests)
            let count = 1000
            let z = Tensor(
                (0..<count * 4).map { _ in
                    switch draw.next() % 4 {
                    case 0: 1e4
                    case 1: -1e4
                    case 2: 1e4 * (2 * draw.uniform() - 1)
                    default: draw.normal()
                    }
                }, [count, 4]
            ).to(dtype)
            let labels = Tensor((0..<count).map { $0 % 4 }, [count])
            for (name, loss) in try Self.losses() {
                let found = loss(Logits(z), labels: labels)
                #expect(found.values.isFinite().all().item == 1, "\(name)")
                #expect(found.gradient.isFinite().all().item == 1, "\(name)")
            }
        }
    }

    // MARK: Ends of the parameters

    @Test func limitsAreCrossEntropy() throws {
        try withNoLeaks {
            let plain = LabelLoss.crossEntropy()(Logits(z), labels: labels)
            let identity = try Self.transition(
                (0..<4).map { a in (0..<4).map { $0 == a ? 1 : 0 } })
            let limits: [LabelLoss] = [
                .bootstrapSoft(beta: 1), .bootstrapHard(beta: 1), .forward(identity),
                .backward(identity), .confidencePenalty(weight: 0),
                .symmetric(alpha: 1, beta: 0),
            ]
            for loss in limits {
                let found = loss(Logits(z), labels: labels)
                try expectClose(found.values, plain.values, 1e-13, loss.name)
                try expectClose(found.gradient, plain.gradient, 1e-13, loss.name)
            }
            // With a stopped target soft bootstrapping is β times cross-entropy for the optimizer.
            let stopped = LabelLoss.bootstrapSoft(beta: 0.6, stopsGradient: true)
            try expectClose(
                stopped(Logits(z), labels: labels).gradient, plain.gradient * 0.6, 1e-13)
        }
    }

    /// The two conventions of label smoothing by their targets.
    @Test func smoothingOverOthers() throws {
        try withNoLeaks {
            let onehot = labels.oneHot(4).to(.float64)
            func expected(_ target: Tensor) -> LogitLoss {
                .crossEntropy(Logits(z), Probabilities(target))
            }
            let all = LabelLoss.crossEntropy(smoothing: 0.2)(Logits(z), labels: labels)
            try expectClose(all.values, expected(onehot * 0.8 + 0.05).values, 1e-12)
            let others = LabelLoss.crossEntropy(smoothing: 0.2, over: .others)
            let target = onehot * 0.8 + (1 - onehot) * (0.2 / 3)
            let found = others(Logits(z), labels: labels)
            try expectClose(found.values, expected(target).values, 1e-12)
            try expectClose(found.gradient, expected(target).gradient, 1e-12)
            #expect(throws: Never.self) {
                try LabelLoss.crossEntropy(smoothing: 0.75, over: .others).check(classes: 4)
            }
            #expect(throws: Problem.self) {
                try LabelLoss.crossEntropy(smoothing: 0.76, over: .others).check(classes: 4)
            }
        }
    }

    /// Σ_b T[a][b] ℓ_b = −log p_a: the mean over the labels that class a is given.
    @Test func backwardIsUnbiased() throws {
        try withNoLeaks {
            let loss = LabelLoss.backward(try Self.transition(Self.matrix))
            let each = (0..<4).map { b in
                loss(Logits(z), labels: Tensor([Int](repeating: b, count: 6), [6]))
            }
            let lp = Logits(z).logProbabilities().tensor
            for (a, row) in Self.matrix.enumerated() {
                let values = zip(each, row).map { $0.values * $1 }
                let sum = values.dropFirst().reduce(values[0]) { $0 + $1 }
                try expectClose(sum, -lp.selected(1, a), 1e-12)
            }
        }
    }

    /// p with pᵀT = the distribution of the given labels has no gradient on the mean.
    @Test func forwardIsMinimalAtTheTruth() throws {
        try withNoLeaks {
            let truth = [0.1, 0.2, 0.3, 0.4]
            let matrix = try TransitionMatrix(Self.matrix)
            let given = (0..<4).map { b in (0..<4).reduce(0) { $0 + truth[$1] * Self.matrix[$1][b] }
            }
            let loss = LabelLoss.forward(.given(matrix))(
                Logits(Tensor(truth.map(log), [1, 4]).expanded([4, 4])), labels: .arange(4))
            let weighted = loss.gradient * Tensor(given, [4, 1])
            try expectClose(weighted.sum(0), .zeros([4], dtype: .float64), 1e-14)
        }
    }

    /// Small q keep their digits in float32: the loss is −log p + q log² p / 2 − …
    @Test(arguments: [0.1, 1e-3, 1e-6, 1e-9, 1e-10, 1e-300]) func smallExponents(q: Double) throws {
        try withNoLeaks {
            let single = LabelLoss.generalised(q: q)(Logits(z.to(.float32)), labels: labels)
            let double = LabelLoss.generalised(q: q)(Logits(z), labels: labels)
            try expectClose(single.values, double.values.to(.float32), 1e-6)
            try expectClose(single.gradient, double.gradient.to(.float32), 1e-6)
            let lp = Logits(z).logProbabilities().tensor.gathered(1, labels.unsqueezed(1))
                .squeezed(1)
            guard q < 1e-2 else { return }
            try expectClose(double.values, -lp - lp.squared() * (q / 2), 1e-5)
        }
    }

    // MARK: Invariance

    @Test func onlyDifferencesAndOrderCount() throws {
        try withNoLeaks {
            let shift = Tensor([3, -2, 0.5, 10, -7, 1], [6, 1])
            let rows = Tensor([5, 2, 0, 4, 1, 3], [6])
            for (name, loss) in try Self.losses() {
                let plain = loss(Logits(z), labels: labels)
                let shifted = loss(Logits(z + shift), labels: labels)
                try expectClose(shifted.values, plain.values, 1e-12, name)
                try expectClose(shifted.gradient, plain.gradient, 1e-12, name)
                let moved = loss(
                    Logits(z.indexed(0, by: rows)), labels: labels.indexed(0, by: rows))
                try expectClose(moved.values, plain.values.indexed(0, by: rows), 1e-12, name)
            }
        }
    }

    /// Classes in another order, in T too, change nothing.
    @Test func namesOfClassesDoNotCount() throws {
        try withNoLeaks {
            let order = [2, 0, 3, 1]  // new class i is old class order[i]
            let renamed = Tensor(labels.ints().map { order.firstIndex(of: $0)! }, [6])
            let other = Tensor(order, [4])
            let moved = try Self.transition(
                order.map { a in order.map { Self.matrix[a][$0] } })
            let transition = try Self.transition(Self.matrix)
            for (before, after) in [
                (LabelLoss.forward(transition), LabelLoss.forward(moved)),
                (.backward(transition), .backward(moved)),
                (.bootstrapHard(), .bootstrapHard()), (.bootstrapSoft(), .bootstrapSoft()),
                (.confidencePenalty(), .confidencePenalty()),
            ] {
                let plain = before(Logits(z), labels: labels)
                let found = after(Logits(z.indexed(1, by: other)), labels: renamed)
                try expectClose(found.values, plain.values, 1e-12, before.name)
                try expectClose(
                    found.gradient, plain.gradient.indexed(1, by: other), 1e-12, before.name)
            }
        }
    }

    // MARK: Matrices

    /// For symmetric noise the singular values are 1 and 1 − r C/(C − 1).
    @Test func conditionOfSymmetricNoise() throws {
        for (classes, rate) in [(2, 0.3), (4, 0.5), (10, 0.8), (26, 0.4)] {
            let rows = (0..<classes).map { a in
                (0..<classes).map { $0 == a ? 1 - rate : rate / Double(classes - 1) }
            }
            let smallest = 1 - rate * Double(classes) / Double(classes - 1)
            let matrix = try TransitionMatrix(rows)
            #expect(abs(matrix.condition * smallest - 1) < 1e-9)
            let inverse = try #require(matrix.inverse)
            for a in 0..<classes {
                for b in 0..<classes {
                    let entry = (0..<classes).reduce(0) { $0 + rows[a][$1] * inverse[$1][b] }
                    #expect(abs(entry - (a == b ? 1 : 0)) < 1e-12)
                }
            }
        }
        let singular = try TransitionMatrix([[0.5, 0.5], [0.5, 0.5]])
        #expect(singular.inverse == nil && singular.condition == .infinity)
    }

    @Test func matricesThatAreNone() {
        func said(_ rows: [[Double]]) -> String {
            do { _ = try TransitionMatrix(rows) } catch { return error.description }
            return ""
        }
        #expect(said([[0.9, 0.1], [0.2, 0.8]]) == "")
        #expect(
            said([[1]])
                == "transition: value out of range: found 1 rows, expected one per class, at least 2"
        )
        #expect(
            said([[0.9, 0.1], [1]])
                == "transition.1: value out of range: found 1 numbers, expected 2, as there are 2 rows"
        )
        #expect(
            said([[0.9, 0.1], [1.2, -0.2]])
                == "transition.1.0: value out of range: found 1.2, expected 0 to 1")
        #expect(
            said([[0.9, 0.2], [0, 1]]).hasPrefix("transition.0: row does not add up: found 1.1"))
        #expect(
            said([[.nan, 1], [0, 1]])
                == "transition.0.0: value out of range: found nan, expected 0 to 1")
    }
}
