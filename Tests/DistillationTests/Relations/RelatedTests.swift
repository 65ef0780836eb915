import Models
import Neural
import TestSupport
import Testing
import Torch

@testable import Distillation
@testable import Training

/// Relation terms on top of objectives that know nothing of them.
@Suite(.takesTurns) struct RelationGuidedTests {
    /// Two networks that each learn from the half of a batch on which the other one's loss is small,
    /// after Han et al. 2018 (arXiv 1804.06872): a stand-in for the robust methods to come. It is
    /// written against `Objective` alone.
    private final class SmallLossExchange: Objective {
        private let seen = Tensor.zeros([1])

        func losses(
            of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
        ) -> Losses {
            let other = withoutGradient {
                crossEntropy(outputs[1 - learner].logits, labels: batch.labels)
            }
            let keep = other.sorted().indices.narrowed(0, from: 0, count: other.count / 2)
            withoutGradient { seen.addInPlace(.ones([1])) }
            let own = crossEntropy(outputs[learner].logits, labels: batch.labels)
            return Losses(
                [.init("selected", own.indexed(0, by: keep))], metrics: [.init("other", other)])
        }

        var updateOrder: UpdateOrder { .recomputed }
        var state: [(name: String, tensor: Tensor)] { [("seen", seen)] }
    }

    private func batch(_ rows: [Int] = Array(0..<8), plain: Bool = true) -> TrainingBatch {
        TrainingBatch(
            inputs: values(1, [rows.count, 6]), labels: Tensor(rows.map { $0 % 3 }, [rows.count]),
            rows: Tensor(rows, [rows.count]), isPlain: plain)
    }

    private func outputs(_ learners: Int, dimension: Int = 4, count: Int = 8) -> [StudentOutput] {
        (0..<learners).map { k in
            let features = values(10 + k, [count, dimension])
            let logits = values(20 + k, [count, 3], scale: 2)
            features.requiresGrad = true
            logits.requiresGrad = true
            return StudentOutput(features: features, logits: Logits(logits))
        }
    }

    private func encoder(_ dimension: Int = 5, table: Tensor? = nil) -> EncoderFeatures {
        EncoderFeatures(
            Frozen(
                MLP(
                    .init(inputs: 6, hidden: [dimension], classes: 3),
                    generator: Generator(seed: 4))), table: table)
    }

    @Test(arguments: [false, true]) func aTwoNetworkMethodIsUsedAsItIs(_ centre: Bool) throws {
        try withNoLeaks {
            let base = SmallLossExchange()
            let options = RelationGuidance(
                centre: centre, weight: 0.5, nodeWeight: 3, ramp: 4)
            let features = encoder()
            let related = RelationGuided(
                base, options, encoder: features, features: [4, 5], rows: 8, seed: 1)
            related.move(to: 2)
            #expect(related.updateOrder == .recomputed)
            let batch = batch()
            let outputs = [self.outputs(1)[0], self.outputs(2, dimension: 5)[1]]
            for learner in 0..<2 {
                let losses = related.losses(of: learner, outputs, batch)
                #expect(losses.terms.map(\.name) == ["selected", "edge", "node"])
                // κ = .5 · 2/4, ρ = 3; the relation terms are those of the whole batch.
                #expect(losses.terms.map(\.weight) == [1, 0.25, 0.75])
                #expect(losses.terms.map(\.values.count) == [4, 8, 8])
                #expect(losses.metrics.map(\.name) == ["other"])
                let alone = base.losses(of: learner, outputs, batch)
                #expect(losses.terms[0].values.floats() == alone.terms[0].values.floats())
                let (f, g) = (outputs[learner].features, features.features(for: batch))
                let own =
                    centre
                    ? edgeLoss(
                        student: f - f.mean(0), encoder: g - g.mean(0), temperatures: (0.1, 0.2))
                    : edgeLoss(student: f, encoder: g, temperatures: (0.1, 0.2))
                #expect(losses.terms[1].values.floats() == own.floats())
                // Into this learner alone.
                losses.total.backward()
                #expect(outputs[learner].features.gradient != nil)
                #expect(outputs[1 - learner].features.gradient == nil || learner == 1)
            }
            // The first learner's features are of another dimension: φ is trained with it.
            #expect(related.parameters(of: 0).map(\.name) == ["relation.weight", "relation.bias"])
            #expect(related.parameters(of: 0).allSatisfy { $0.tensor.gradient != nil })
            #expect(related.parameters(of: 1).isEmpty)
            #expect(
                related.state.map(\.name) == [
                    "seen", "relation.0.projection.weight", "relation.0.projection.bias",
                ])
        }
    }

    /// Every objective there is, alone and with relations: its own terms stay what they are.
    @Test func everyBase() throws {
        try withNoLeaks {
            let teacher = TeacherOutputs(
                Frozen(
                    MLP(.init(inputs: 6, hidden: [4], classes: 3), generator: Generator(seed: 9))))
            let table = Probabilities(values(3, [8, 3]).softmax())
            let losses: [MixableLoss] = [
                .labels(.crossEntropy()),
                .teacher("teacher", .divergence(.kl), temperature: 2) { teacher.logits(for: $0) },
            ]
            let bases: [(any Objective, Int)] = [
                (CrossEntropyObjective(), 1), (CrossEntropyObjective(.generalised()), 1),
                (CrossEntropyObjective(.symmetric()), 1),
                (DistillationObjective(teacher: teacher), 1),
                (PseudoLabelObjective(table), 1),
                (AdaptiveMixingObjective(losses: losses, rows: 8, seed: 1), 1),
                (MutualObjective(), 3),
            ]
            for (base, learners) in bases {
                let related = RelationGuided(
                    base, .init(ramp: 0), encoder: encoder(),
                    features: [Int](repeating: 4, count: learners), rows: 8, seed: 1)
                let outputs = outputs(learners)
                let batch = batch()
                for learner in 0..<learners {
                    let alone = base.losses(of: learner, outputs, batch)
                    let both = related.losses(of: learner, outputs, batch)
                    #expect(
                        both.terms.map(\.name) == alone.terms.map(\.name) + ["edge", "node"])
                    let sum =
                        alone.total.item
                        + both.terms.suffix(2).reduce(0) { $0 + $1.values.mean().item }
                    #expect(abs(both.total.item - sum) < 1e-5)
                }
                #expect(related.state.count == base.state.count + 2 * learners)
            }
        }
    }

    /// Steps along the relation terms alone bring the student's graph to the encoder's.
    @Test(arguments: [EdgeLoss.softmax(), .queue(size: 16), .rkd()])
    func descentAligns(_ edge: EdgeLoss) throws {
        try withNoLeaks {
            let related = RelationGuided(
                CrossEntropyObjective(), .init(edge: edge, ramp: 0), encoder: encoder(),
                features: [4], rows: 8, seed: 1)
            let student = outputs(1)[0]
            let parameters = [("features", student.features)] + related.parameters(of: 0)
            let optimizer = OptimizerOptions(kind: .adam, learningRate: 0.05).make(over: parameters)
            var first: Double?
            var last = 0.0
            for _ in 0..<150 {
                let terms = related.losses(of: 0, [student], batch()).terms.suffix(2)
                let loss = terms.reduce(Tensor.scalar(0)) { $0 + $1.values.mean() }
                last = loss.item
                first = first ?? last
                loss.backward()
                optimizer.step(learningRate: 0.05)
                optimizer.clearGradients()
            }
            #expect(last < 0.25 * first!, "\(edge.name): \(first!) to \(last)")
        }
    }

    /// Plain batches are looked up by row; augmented ones are put through the encoder, once for all learners.
    @Test func featuresAreThoseOfTheInputs() throws {
        try withNoLeaks {
            let table = values(7, [20, 5])
            let features = encoder(table: table)
            let rows = [3, 19, 0, 4]
            #expect(
                features.features(for: batch(rows)).floats()
                    == rows.flatMap { table.floats()[$0 * 5..<($0 + 1) * 5] })
            let augmented = batch(rows, plain: false)
            let own = features.features(for: augmented)
            #expect(
                own.shape == [4, 5]
                    && own === features.features(for: augmented.relabelled(augmented.labels)))
            #expect(!own.requiresGrad)
        }
    }

    /// Rows weigh 1 in the first epoch, then by how far their losses of the epoch before stand out; a
    /// second `begin` of an epoch, as after resuming, changes nothing.
    @Test func rowsWithLikelyWrongLabels() throws {
        try withNoLeaks {
            let related = RelationGuided(
                CrossEntropyObjective(), .init(node: nil, ramp: 0, rows: .likelyWrong),
                encoder: encoder(), features: [4], rows: 10, seed: 1)
            // Labels are row % 3; all logits say so but those of rows 2 and 5.
            let sure: [Float] = (0..<8).flatMap { row in
                (0..<3).map { c in c == ([2, 5].contains(row) ? (row + 1) % 3 : row % 3) ? 4 : 0 }
            }
            let features = values(10, [8, 4])
            let output = StudentOutput(features: features, logits: Logits(Tensor(sure, [8, 3])))
            func edge() -> [Float] {
                related.losses(of: 0, [output], batch()).terms[1].values.floats()
            }
            related.move(to: 0)
            let plain = edge()
            #expect(
                try #require(related.wrongLabelProbabilities(of: 0))
                    == [Float](repeating: 1, count: 10))
            related.move(to: 1)
            let shares = try #require(related.wrongLabelProbabilities(of: 0))
            for row in 0..<8 {
                #expect([2, 5].contains(row) ? shares[row] > 0.99 : shares[row] < 0.01)
            }
            // Never seen: nothing is known in their favour.
            #expect(shares[8] == 1 && shares[9] == 1)
            let weighted = edge()
            for row in 0..<8 { #expect(abs(weighted[row] - plain[row] * shares[row]) < 1e-6) }
            let state = related.state.map { $0.tensor.floats() }
            related.move(to: 1)
            for (now, before) in zip(related.state, state) {
                for (x, y) in zip(now.tensor.floats(), before) {
                    #expect(x == y || x.isNaN && y.isNaN)
                }
            }
        }
    }

    /// One append per step, after the last learner, so that all compare with the same queue.
    @Test func learnersShareTheQueue() throws {
        try withNoLeaks {
            let related = RelationGuided(
                MutualObjective(), .init(edge: .queue(size: 12), node: nil, ramp: 0),
                encoder: encoder(4), features: [4, 4], rows: 8, seed: 1)
            let outputs = outputs(2)
            func filled() -> Int {
                related.state.first { $0.name == "relation.queue-place" }!.tensor.ints()[1]
            }
            _ = related.losses(of: 0, outputs, batch())
            #expect(filled() == 0)
            _ = related.losses(of: 1, outputs, batch())
            #expect(filled() == 8)
            // What was read stays valid for a backward pass after the append.
            let losses = related.losses(of: 0, outputs, batch())
            _ = related.losses(of: 1, outputs, batch())
            losses.total.backward()
            #expect(filled() == 12)
            #expect(outputs[0].features.gradient?.isFinite().all().item == 1)
        }
    }

    @Test func rampOfTheWeight() {
        let options = RelationGuidance(weight: 2, ramp: 4)
        #expect((0..<7).map { options.weight(epoch: $0) } == [0, 0.5, 1, 1.5, 2, 2, 2])
        #expect(RelationGuidance(weight: 3, ramp: 0).weight(epoch: 0) == 3)
        #expect(!RelationGuidance(weight: 0).isOn && !RelationGuidance(edge: nil, node: nil).isOn)
        #expect(
            !RelationGuidance(edge: nil, nodeWeight: 0).isOn && RelationGuidance(node: nil).isOn)
    }
}
