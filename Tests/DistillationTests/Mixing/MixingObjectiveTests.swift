import Foundation
import TestSupport
import Testing
import Torch

@testable import Distillation
@testable import Training

/// The table of weights, the mixed loss, the baselines.
@Suite(.takesTurns) struct MixingObjectiveTests {
    private func batch(_ rows: [Int], labels: [Int]) -> TrainingBatch {
        TrainingBatch(
            inputs: .zeros([rows.count, 2]), labels: Tensor(labels, [labels.count]),
            rows: Tensor(rows, [rows.count]), isPlain: true)
    }

    // MARK: Losses

    /// Closed-form gradients against autograd through the same values.
    @Test func closedFormGradients() throws {
        try withNoLeaks {
            let z = Logits(uniforms([6, 5], -3, 3, seed: 41))
            let teacher = Logits(uniforms([6, 5], -5, 5, seed: 42))
            let input = batch([0, 1, 2, 3, 4, 5], labels: [0, 4, 2, 2, 1, 3])
            for loss in [
                MixableLoss.labels(), .labels(.crossEntropy(smoothing: 0.3)),
                .teacher(temperature: 1) { _ in teacher },
                .teacher(temperature: 7) { _ in teacher },
            ] {
                let found = loss.gradient(z, input)
                let automatic = MixableLoss("same", loss.values).gradient(z, input)
                try expectClose(found, automatic, 1e-13)
                #expect(!found.requiresGrad && !automatic.requiresGrad)
            }
        }
    }

    /// (1/B) Σ w_ik ℓ_k(i), with gradient into the student only.
    @Test func mixedLoss() throws {
        try withNoLeaks {
            let a = Tensor([1.0, 2], [2])
            let b = Tensor([10.0, 20], [2])
            let weights = Tensor([0.5, 0.25, 1, 2], [2, 2])
            for tensor in [a, b, weights] { tensor.requiresGrad = true }
            let losses = mixed([("a", a), ("b", b)], weights: weights)
            #expect(losses.terms.map(\.name) == ["a", "b"])
            try expectClose(losses.means(), [1.25, 21.25], 0)
            losses.total.backward()
            try expectClose(try #require(a.gradient).doubles(), [0.25, 0.5], 1e-15)
            try expectClose(try #require(b.gradient).doubles(), [0.125, 1], 1e-15)
            #expect(weights.gradient == nil)
        }
    }

    // MARK: Table

    @Test(arguments: MixingRule.allCases) func starts(_ rule: MixingRule) throws {
        try withNoLeaks {
            let one = MixingTable(rows: 3, losses: 2, rule: rule, start: .share(0.9), seed: 0)
            #expect(one.parameters.dtype == .float32)
            #expect(one.parameters.shape == [3, rule.parameterCount(losses: 2)])
            try expectClose(one.weights().doubles(), [0.1, 0.9, 0.1, 0.9, 0.1, 0.9], 1e-6)
            let three = MixingTable(rows: 1, losses: 4, rule: rule, start: .share(0.6), seed: 0)
            let expected =
                rule.sumsToOne(losses: 4) ? [0.4, 0.2, 0.2, 0.2] : [0.4, 0.6, 0.6, 0.6]
            try expectClose(three.weights().doubles(), expected, 1e-6)
            // Drawn by row: a longer table begins with the same rows.
            let drawn = MixingTable(rows: 1000, losses: 3, rule: rule, start: .uniform, seed: 5)
            let short = MixingTable(rows: 10, losses: 3, rule: rule, start: .uniform, seed: 5)
            let other = MixingTable(rows: 10, losses: 3, rule: rule, start: .uniform, seed: 6)
            let all = drawn.parameters.doubles()
            #expect(Array(all.prefix(short.parameters.count)) == short.parameters.doubles())
            #expect(short.parameters.doubles() != other.parameters.doubles())
            if rule == .convexClamp || rule == .box {
                #expect(all.allSatisfy { (0...1).contains($0) })
                let mean = all.reduce(0, +) / Double(all.count)
                // Four standard errors of U[0, 1].
                let allowed = 4 * 0.2887 / Double(all.count).squareRoot()
                #expect(abs(mean - 0.5) < allowed)
            }
        }
    }

    /// A sample's weights are found by its row whatever the order of the batches.
    @Test func followsTheSample() throws {
        try withNoLeaks {
            let mixing = AdaptiveMixingObjective(
                .init(initialWeight: .share(0.5), metaStepSize: 0.1),
                losses: [.labels(), .teacher(temperature: 2) { _ in Logits(.zeros([3, 4])) }],
                rows: 10, seed: 0)
            let before = mixing.table.parameters.doubles()
            let mix = RandomMix(3, k: 2, seed: 43)
            let single = MixingGroup(
                features: mix.features.to(.float32),
                gradients: mix.gradients.map { $0.to(.float32) })
            let result = mixing.metaStep(
                single, rows: [7, 0, 4], validation: mix.validation.single, hasBias: true, rate: 0.1
            )
            let after = mixing.table.parameters.doubles()
            for row in 0..<10 where ![7, 0, 4].contains(row) { #expect(after[row] == before[row]) }
            #expect([7, 0, 4].map { after[$0] } == result.parameters.doubles())
            #expect([7, 0, 4].allSatisfy { after[$0] != before[$0] })
            let weights = mixing.table.weights(of: Tensor([4, 7], [2])).doubles()
            try expectClose(weights, [1 - after[4], after[4], 1 - after[7], after[7]], 1e-7)
            // Records: first stays, latest moves.
            let first = mixing.table.firstAlignment.doubles()
            #expect(first.map(\.isNaN) == (0..<10).map { ![7, 0, 4].contains($0) })
            #expect([7, 0, 4].map { first[$0] } == result.labelAlignment.doubles())
            mixing.table.record([4, 5], Tensor([Float(9), 8], [2]))
            #expect(mixing.table.firstAlignment.doubles()[4] == first[4])
            #expect(mixing.table.firstAlignment.doubles()[5] == 8)
            #expect(mixing.table.latestAlignment.doubles()[4] == 9)
            #expect(
                mixing.state.map(\.name) == [
                    "mixing.parameters", "mixing.first-alignment", "mixing.latest-alignment",
                    "mixing.step-unit",
                ])
        }
    }

    /// The objective's terms use the sample's weights, and a group is what the batches say.
    @Test func objective() throws {
        try withNoLeaks {
            let teacher = uniforms([6, 3], -2, 2, seed: 44).to(.float32)
            let mixing = AdaptiveMixingObjective(
                .init(temperature: 3, rule: .box, initialWeight: .uniform),
                losses: [
                    .labels(),
                    .teacher(temperature: 3) { Logits(teacher.indexed(0, by: $0.rows)) },
                ],
                rows: 6, seed: 1)
            let z = uniforms([3, 3], -1, 1, seed: 45).to(.float32)
            let input = batch([5, 1, 2], labels: [0, 1, 2])
            let output = StudentOutput(
                features: uniforms([3, 4], 0, 1, seed: 46), logits: .init(z))
            let losses = mixing.losses(of: 0, [output], input)
            let w = mixing.table.weights(of: input.rows)
            let ce = crossEntropy(output.logits, labels: input.labels)
            try expectClose(losses.terms[0].values, ce * w.selected(1, 0), 1e-6)
            #expect(losses.terms.map(\.name) == ["cross-entropy", "distillation"])
            let group = mixing.group([(output, input), (output, input)])
            #expect(group.count == 6 && group.gradients.map(\.shape) == [[6, 3], [6, 3]])
        }
    }

    // MARK: Options

    @Test func options() throws {
        func decoded(_ json: String) throws -> AdaptiveMixingOptions {
            try JSONDecoder().decode(AdaptiveMixingOptions.self, from: Data(json.utf8))
        }
        #expect(try decoded("{}") == AdaptiveMixingOptions())
        let all = try decoded(
            """
            {"temperature": 2, "rule": "taylor-softmax", "initial-weight": "uniform", "warm-up": 3,
            "meta-interval": 4, "batches-per-group": 2, "meta-repeats": 1, "meta-step-size": 0.5, "validation-batch": 64,
            "balanced-validation": true, "virtual-step": "first-order", "tolerance": 0.2}
            """)
        #expect(
            all
                == AdaptiveMixingOptions(
                    temperature: 2, rule: .taylorSoftmax, initialWeight: .uniform, warmUp: 3,
                    metaInterval: 4,
                    batchesPerGroup: 2, metaRepeats: 1, metaStepSize: 0.5, validationBatch: 64,
                    balancedValidation: true,
                    virtualStep: .firstOrder, tolerance: 0.2))
        let again = try JSONDecoder().decode(
            AdaptiveMixingOptions.self, from: JSONEncoder().encode(all))
        #expect(again == all)
        for (json, sentence) in [
            (
                #"{"temperature": 0}"#,
                "method.temperature: value out of range: found 0.0, expected temperature > 0"
            ),
            (
                #"{"meta-step-size": -1}"#,
                "method.meta-step-size: value out of range: found -1.0, expected meta-step-size > 0"
            ),
            (
                #"{"initial-weight": 1.5}"#,
                "method.initial-weight: value out of range: found 1.5, expected a share from 0 to 1, or uniform"
            ),
            (
                #"{"initial-weight": "high"}"#,
                "method.initial-weight: value out of range: found \"high\", expected a share from 0 to 1, or uniform"
            ),
            (
                #"{"meta-interval": 0}"#,
                "method.meta-interval: value out of range: found 0, expected 1 to 100000"
            ),
            (
                #"{"batches-per-group": 65}"#,
                "method.batches-per-group: value out of range: found 65, expected 1 to 64"
            ),
            (
                #"{"tolerance": -0.1}"#,
                "method.tolerance: value out of range: found -0.1, expected tolerance >= 0"
            ),
        ] {
            do {
                _ = try decoded(json)
                Issue.record("taken: \(json)")
            } catch { #expect("\(error)" == sentence) }
        }
    }

    /// Every L epochs from L on, after the warm-up.
    @Test func metaEpochs() {
        func epochs(_ warmUp: Int, _ every: Int) -> [Int] {
            let options = AdaptiveMixingOptions(warmUp: warmUp, metaInterval: every)
            return (0..<31).filter(options.isMetaEpoch)
        }
        #expect(epochs(10, 10) == [10, 20, 30])
        #expect(epochs(0, 10) == [10, 20, 30])
        #expect(epochs(12, 5) == [15, 20, 25, 30])
        #expect(epochs(0, 1).count == 30)
    }

    // MARK: Validation draws

    @Test func validationDraws() {
        let labels = (0..<100).map { $0 < 90 ? 0 : $0 < 97 ? 1 : 3 }  // class 2 is empty
        func draw(_ count: Int, _ balanced: Bool, group: Int = 0) -> [Int] {
            validationDraw(
                labels: labels, classes: 4, count: count, balanced: balanced, seed: 1, epoch: 2,
                group: group)
        }
        let plain = draw(30, false)
        #expect(Set(plain).count == 30 && plain.allSatisfy(labels.indices.contains))
        #expect(plain == draw(30, false) && plain != draw(30, false, group: 1))
        #expect(Set(draw(1000, false)) == Set(0..<100))
        let even = draw(30, true)
        for label in [0, 1, 3] { #expect(even.count { labels[$0] == label } == 10) }
        // The class of three is gone through again and again, evenly.
        let small = Dictionary(grouping: even.filter { labels[$0] == 3 }) { $0 }.map(\.value.count)
        #expect(small.sorted() == [3, 3, 4])
        #expect(draw(31, true).count == 31)
        // Uniform: over 2,000 draws of 10, every sample comes up about 200 times (4 sd).
        var hits = [Int](repeating: 0, count: 100)
        for group in 0..<2000 { for place in draw(10, false, group: group) { hits[place] += 1 } }
        let allowed = 4.5 * 180.0.squareRoot()
        #expect(hits.allSatisfy { abs(Double($0) - 200) < allowed })
    }

    // MARK: Baselines

    @Test func fixedWeights() throws {
        try withNoLeaks {
            let z = Logits(uniforms([2, 3], -1, 1, seed: 47))
            let input = batch([0, 1], labels: [0, 2])
            let teacher = Logits(uniforms([2, 3], -1, 1, seed: 48))
            let kd = MixableLoss.teacher(temperature: 2) { _ in teacher }
            let fixed = try FixedMixing([.labels(), kd, kd], weights: [0.2, 0.5, 0])
            let output = StudentOutput(features: z.tensor, logits: z)
            let expected =
                0.2 * crossEntropy(z, labels: input.labels).mean().item + 0.5
                * distillationLoss(student: z, teacher: teacher, temperature: 2).mean().item
            try expectClose([fixed.losses(of: 0, [output], input).total.item], [expected], 1e-12)
            for weights in [[1.0], [1, -1, 0], [0, 0, 0], [1, .nan, 1]] {
                #expect(throws: (any Error).self) {
                    try FixedMixing([.labels(), kd, kd], weights: weights)
                }
            }
        }
    }

    @Test func teacherDropping() throws {
        try withNoLeaks {
            let z = Logits(uniforms([2, 3], -1, 1, seed: 49))
            let input = batch([0, 1], labels: [0, 2])
            let output = StudentOutput(features: z.tensor, logits: z)
            var asked = 0
            let teachers = (0..<3).map { m in
                MixableLoss.teacher("teacher \(m)", temperature: 2) { _ in
                    asked += 1
                    return Logits(.zeros([2, 3]))
                }
            }
            let dropping = TeacherDropping(
                .init(drop: 0.5, labelWeight: 0.1, distillationWeight: 0.3), teachers: teachers,
                seed: 3)
            for step in 0..<20 {
                asked = 0
                let kept = keptTeachers(3, drop: 0.5, seed: 3, epoch: 4, step: step)
                let placed = TrainingBatch(
                    inputs: input.inputs, labels: input.labels, rows: input.rows, isPlain: true,
                    epoch: 4, step: step)
                let terms = dropping.losses(of: 0, [output], placed).terms
                #expect(terms.map(\.weight) == [0.1] + kept.map { $0 ? 0.3 : 0 })
                #expect(asked == kept.count { $0 })
            }
            // Rate: 4 standard errors of 0.25 over 6,000 draws; teachers independently of one another.
            let all = (0..<2000).map { keptTeachers(3, drop: 0.25, seed: 1, epoch: 0, step: $0) }
            let dropped = all.reduce(0) { $0 + $1.count { !$0 } }
            let rate = Double(dropped) / 6000
            let allowed = 4 * (0.25 * 0.75 / 6000).squareRoot()
            #expect(abs(rate - 0.25) < allowed)
            let both = all.count { !$0[0] && !$0[1] }
            let joint = Double(both) / 2000
            let jointly = 4 * (0.0625 * 0.9375 / 2000).squareRoot()
            #expect(abs(joint - 0.0625) < jointly)
        }
    }

    // MARK: A teacher that is wrong on purpose

    @Test func corruption() throws {
        try withNoLeaks {
            let hurt = try TeacherCorruption(share: 0.5, classes: 10, seed: 0)
            #expect(hurt.isCorrupted.count { $0 } == 5)
            #expect(hurt.permutation.sorted() == Array(0..<10))
            #expect(hurt.permutation.enumerated().allSatisfy { $0.offset != $0.element })
            #expect(try TeacherCorruption(share: 0.5, classes: 10, seed: 0) == hurt)
            #expect(try TeacherCorruption(share: 0.5, classes: 10, seed: 1) != hurt)
            let logits = Logits(uniforms([10, 10], -3, 3, seed: 50))
            let rows = Tensor(Array(0..<10), [10])
            let found = hurt.applied(to: logits, labels: rows).tensor.doubles()
            let old = logits.tensor.doubles()
            for row in 0..<10 {
                for c in 0..<10 {
                    let source = hurt.isCorrupted[row] ? hurt.permutation[c] : c
                    #expect(found[row * 10 + c] == old[row * 10 + source])
                }
            }
            #expect(try TeacherCorruption(share: 0, classes: 3, seed: 1).isCorrupted.allSatisfy(!))
            #expect(
                try TeacherCorruption(share: 1, classes: 3, seed: 1).isCorrupted.allSatisfy(\.self))
            do {
                _ = try TeacherCorruption(share: 1.5, classes: 3, seed: 1)
                Issue.record("taken")
            } catch {
                #expect(
                    "\(error)"
                        == "method.teacher.corrupt.share: value out of range: found 1.5, expected 0 to 1"
                )
            }
        }
    }

    @Test func randomOpinions() throws {
        try withNoLeaks {
            let logits = Logits(uniforms([40, 5], -3, 3, seed: 51))
            let rows = Tensor((0..<40).map { ($0 * 7) % 40 }, [40])
            let old = logits.tensor.doubles()
            func corrupted(_ share: Double, seed: UInt64 = 0) throws -> [[Double]] {
                let found = try RandomOpinions(share: share, rows: 40, classes: 5, seed: seed)
                    .applied(to: logits, rows: rows).tensor.doubles()
                return (0..<40).map { Array(found[($0 * 5)..<($0 * 5 + 5)]) }
            }
            let half = try corrupted(0.5)
            let same = (0..<40).filter { half[$0] == Array(old[($0 * 5)..<($0 * 5 + 5)]) }
            // 20 rows are left alone; each of the others stays with probability 1/120.
            #expect((20...22).contains(same.count))
            for row in 0..<40 {
                #expect(half[row].sorted() == old[(row * 5)..<(row * 5 + 5)].sorted())
            }
            #expect(try corrupted(0.5) == half)
            #expect(try corrupted(0.5, seed: 1) != half)
            #expect(try corrupted(0).flatMap(\.self) == old)
            // The permutation belongs to the row of the split, not to the place in the batch.
            let table = try RandomOpinions(share: 1, rows: 40, classes: 5, seed: 3)
            let alone = table.applied(
                to: Logits(logits.tensor.indexed(0, by: Tensor([4], [1]))), rows: Tensor([28], [1]))
            #expect(
                alone.tensor.doubles()
                    == Array(table.applied(to: logits, rows: rows).tensor.doubles()[20..<25]))
        }
    }
}

extension MixingValidation {
    /// The same in float32.
    fileprivate var single: MixingValidation {
        MixingValidation(
            features: features.to(.float32), logits: Logits(logits.to(.float32)), labels: labels)
    }
}
