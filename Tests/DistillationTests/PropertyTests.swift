import Foundation
import Models
import Neural
import Randomness
import TestSupport
import Testing
import Torch

@testable import Distillation
@testable import Training

/// What holds for every input.
@Suite(.takesTurns) struct PropertyTests {
    private func normals(_ shape: [Int], scale: Double = 1, seed: UInt64) -> Tensor {
        var draw = Draw(seed: seed, .tests)
        return Tensor((0..<shape.reduce(1, *)).map { _ in scale * draw.normal() }, shape)
    }

    /// Over 1,000 pairs of distributions, from nearly uniform to nearly certain ones.
    @Test func divergenceIsNotNegative() throws {
        try withNoLeaks {
            var draw = Draw(seed: 1, .tests)
            for _ in 0..<10 {
                let scale = pow(10, 3 * draw.uniform() - 1.5)
                let a = normals([100, 6], scale: scale, seed: draw.next())
                let b = normals([100, 6], scale: scale, seed: draw.next())
                for temperature in [1.0, 5] {
                    let values = distillationLoss(
                        student: Logits(a), teacher: Logits(b), temperature: temperature
                    ).doubles()
                    #expect(values.count == 100 && values.allSatisfy { $0 > 0 && $0.isFinite })
                    let same = distillationLoss(
                        student: Logits(b), teacher: Logits(b), temperature: temperature
                    ).doubles()
                    #expect(same.allSatisfy { abs($0) < 1e-12 })
                    let single = distillationLoss(
                        student: Logits(a.to(.float32)), teacher: Logits(b.to(.float32)),
                        temperature: temperature
                    ).doubles()
                    #expect(single.allSatisfy { $0 > -1e-4 })
                }
            }
        }
    }

    /// Adding a number to all logits of a row changes nothing.
    @Test func onlyDifferencesCount() throws {
        try withNoLeaks {
            let (a, b) = (normals([50, 6], seed: 2), normals([50, 6], seed: 3))
            let shift = normals([50, 1], scale: 5, seed: 4)
            let plain = distillationLoss(student: Logits(a), teacher: Logits(b), temperature: 2)
            try expectClose(
                distillationLoss(
                    student: Logits(a + shift), teacher: Logits(b - shift), temperature: 2),
                plain, 1e-12)
        }
    }

    /// Rows in another order give values in that order; classes in another order change nothing.
    @Test func permutations() throws {
        try withNoLeaks {
            let (a, b) = (normals([8, 5], seed: 5), normals([8, 5], seed: 6))
            let labels = [0, 4, 2, 1, 3, 3, 0, 2]
            let rows = [7, 2, 0, 1, 6, 5, 3, 4]
            let classes = [3, 0, 4, 1, 2]  // new position i holds old class classes[i]
            func losses(_ a: Tensor, _ b: Tensor, _ labels: [Int]) -> [Tensor] {
                [
                    crossEntropy(Logits(a), labels: Tensor(labels, [8]), smoothing: 0.1),
                    distillationLoss(student: Logits(a), teacher: Logits(b), temperature: 3),
                    crossEntropy(Logits(a), pseudoLabels(Logits(b), beta: 2)),
                ]
            }
            let plain = losses(a, b, labels)
            let order = Tensor(rows, [8])
            let moved = losses(
                a.indexed(0, by: order), b.indexed(0, by: order), rows.map { labels[$0] })
            for (x, y) in zip(moved, plain) { try expectClose(x, y.indexed(0, by: order), 1e-12) }
            let other = Tensor(classes, [5])
            let renamed = losses(
                a.indexed(1, by: other), b.indexed(1, by: other),
                labels.map { classes.firstIndex(of: $0)! })
            for (x, y) in zip(renamed, plain) { try expectClose(x, y, 1e-12) }
        }
    }

    /// dL/dz = T (softmax(z/T) − softmax(t/T)), which for large T becomes the difference of the
    /// centred logits over C: the same size whatever T.
    @Test func temperatureKeepsTheGradientsSize() throws {
        try withNoLeaks {
            let (z, t) = (normals([4, 5], seed: 7), normals([4, 5], seed: 8))
            func gradient(_ temperature: Double) throws -> Tensor {
                let leaf = z.cloned()
                leaf.requiresGrad = true
                distillationLoss(
                    student: Logits(leaf), teacher: Logits(t), temperature: temperature
                )
                .sum().backward()
                return try #require(leaf.gradient)
            }
            for temperature in [1.0, 4, 20] {
                let expected =
                    ((z / temperature).softmax() - (t / temperature).softmax()) * temperature
                try expectClose(try gradient(temperature), expected, 1e-12)
            }
            let limit = ((z - z.mean(1, keep: true)) - (t - t.mean(1, keep: true))) / 5
            try expectClose(try gradient(1e4), limit, 1e-3)
            let sizes = try [10.0, 100, 1000].map { try gradient($0).norm().item }
            #expect(sizes.max()! / sizes.min()! < 1.2)
        }
    }

    @Test func hardLabelsAreTheLimit() throws {
        try withNoLeaks {
            let z = normals([200, 6], seed: 9)
            let hard = pseudoLabels(Logits(z), beta: .infinity).tensor
            try expectClose(pseudoLabels(Logits(z), beta: 1e6).tensor, hard.to(.float64), 1e-6)
            #expect(hard.sum(1).doubles().allSatisfy { $0 == 1 })
            #expect(hard.argmax().ints() == z.argmax().ints())
            // β → 0 forgets everything.
            let flat = pseudoLabels(Logits(z), beta: 1e-12).tensor.doubles()
            #expect(flat.allSatisfy { abs($0 - 1.0 / 6) < 1e-9 })
        }
    }

    /// Sharper labels have less entropy.
    @Test func betaSharpens() throws {
        try withNoLeaks {
            let z = Logits(normals([100, 6], seed: 10))
            let entropies = [0.25, 0.5, 1, 2, 4].map { beta in
                let p = pseudoLabels(z, beta: beta).tensor
                return -(p * p.log()).sum().item
            }
            #expect(zip(entropies, entropies.dropFirst()).allSatisfy { $0 > $1 })
        }
    }

    // MARK: Losses

    @Test func totalsAndMeans() throws {
        try withNoLeaks {
            let losses = Losses(
                .init("a", Tensor([1.0, 2, 6], [3])),
                .init("b", weight: 0.5, Tensor([4.0, 4, 10], [3])),
                .init("off", weight: 0, Tensor([Double.nan, 1, 1], [3])))
            #expect(losses.total.item == 3 + 0.5 * 6)
            let means = losses.means()
            #expect(means[..<2] == [3, 6] && means[2].isNaN)
            #expect(Losses().total.item == 0)
        }
    }

    /// Logits that autocast made bfloat16 are compared in float32.
    @Test func lossesAreNotInBFloat16() throws {
        try withNoLeaks {
            let z = normals([16, 10], seed: 11).to(.bfloat16)
            let labels = Tensor((0..<16).map { $0 % 10 }, [16])
            let loss = crossEntropy(Logits(z), labels: labels)
            #expect(loss.dtype == .float32)
            try expectClose(loss, crossEntropy(Logits(z.to(.float32)), labels: labels), 0)
            let kd = distillationLoss(student: Logits(z), teacher: Logits(z), temperature: 2)
            #expect(kd.dtype == .float32)
        }
    }

    // MARK: Objectives

    private func batch(_ x: Tensor, rows: [Int], plain: Bool) -> TrainingBatch {
        TrainingBatch(
            inputs: x, labels: Tensor(rows.map { $0 % 3 }, [rows.count]),
            rows: Tensor(rows, [rows.count]),
            isPlain: plain)
    }

    private func teacher() throws -> Frozen {
        Frozen(
            try ModelRegistry.make(
                ModelSpec(name: "mlp", hidden: []), sampleShape: [4], classes: 3, seed: 5))
    }

    /// The teacher sees what the student sees: by row of its table for plain batches, by itself on
    /// augmented ones.
    @Test func teacherSeesTheSameInputs() throws {
        try withNoLeaks {
            let frozen = try teacher()
            let all = normals([6, 4], seed: 12).to(.float32)
            let table = frozen(all)
            let outputs = TeacherOutputs(frozen, table: table)
            let rows = [4, 0, 5]
            let part = all.indexed(0, by: Tensor(rows, [3]))
            let looked = outputs.logits(for: batch(part, rows: rows, plain: true)).tensor
            try expectClose(looked, frozen(part), 1e-6)
            let shifted = part + 1.0
            let asked = outputs.logits(for: batch(shifted, rows: rows, plain: false)).tensor
            try expectClose(asked, frozen(shifted), 0)
            #expect(largestError(asked.doubles(), looked.doubles()).error > 0.01)
        }
    }

    @Test func objectivesNameTheirTerms() throws {
        try withNoLeaks {
            let frozen = try teacher()
            let x = normals([3, 4], seed: 13).to(.float32)
            let batch = batch(x, rows: [2, 0, 1], plain: true)
            let logits = Logits(normals([3, 3], seed: 14).to(.float32))
            let output = StudentOutput(features: x, logits: logits)
            let kd = DistillationObjective(
                .init(temperature: 2, labelWeight: 0.25, distillationWeight: 0.75),
                teacher: TeacherOutputs(frozen))
            let terms = kd.losses(of: 0, [output], batch).terms
            #expect(terms.map(\.name) == ["cross-entropy", "distillation"])
            #expect(terms.map(\.weight) == [0.25, 0.75])
            try expectClose(terms[0].values, crossEntropy(logits, labels: batch.labels), 0)
            try expectClose(
                terms[1].values,
                distillationLoss(student: logits, teacher: Logits(frozen(x)), temperature: 2), 0)
            // Other losses in the place of either term, and not a bit changed where they are not.
            let other = DistillationObjective(
                .init(
                    temperature: 2, loss: .generalised(),
                    divergence: .divergence(.renyi(order: 1.5)), standardiseLogits: true),
                teacher: TeacherOutputs(frozen)
            ).losses(of: 0, [output], batch).terms
            #expect(other.map(\.name) == ["gce", "distillation"])
            #expect(other.map(\.weight) == [0.1, 0.9])
            let soft = TeacherLoss.divergence(.renyi(order: 1.5))(
                teacher: Logits(frozen(x)), student: logits, labels: batch.labels, temperature: 2,
                standardised: true)
            try expectClose(other[1].values, soft.values, 0)
            let robust = CrossEntropyObjective(.symmetric()).losses(of: 0, [output], batch).terms
            #expect(robust.map(\.name) == ["sce"])
            try expectClose(
                robust[0].values, LabelLoss.symmetric()(logits, labels: batch.labels).values, 0)
            // Rows of the table, not positions in the batch.
            let labels = Probabilities(
                Tensor([1, 0, 0, 0, 1, 0, 0, 0, 1].map(Float.init), [3, 3]))
            let pseudo = PseudoLabelObjective(labels).losses(of: 0, [output], batch)
            #expect(pseudo.terms.map(\.name) == ["pseudo-label"])
            try expectClose(
                pseudo.terms[0].values, crossEntropy(logits, labels: Tensor([2, 0, 1], [3])), 1e-6)
            let table = Logits(normals([3, 3], seed: 15).to(.float32)).logProbabilities()
            let towards = PseudoLabelObjective(table, .reverseKL).losses(of: 0, [output], batch)
            #expect(towards.terms.map(\.name) == ["pseudo-label"])
            let expected = Divergence.reverseKL(
                peer: LogProbabilities(table.tensor.indexed(0, by: batch.rows)),
                own: logits.logProbabilities())
            try expectClose(towards.terms[0].values, expected.values, 0)
        }
    }
}
