import Diagnostics
import Distillation
import Foundation
import SafeTensors
import TestSupport
import Testing
import Torch

@testable import Training

/// Early-learning regularisation: its formulas by numbers, and its memory in training.
@Suite(.serialized, .takesTurns) struct EarlyLearningTests {
    // MARK: The formulas

    /// One step of the objective on each network's logits, as if one network had moved.
    @Test func twoStepsByNumbers() throws {
        try withNoLeaks {
            let objective = EarlyLearningObjective(samples: 6, classes: 4)
            // Any order of rows: each sample has its own.
            let rows = [5, 0, 3, 1, 4, 2]
            func step(_ z: [Double]) -> Losses {
                let logits = Tensor(z, [6, 4]).to(.float32)
                let batch = TrainingBatch(
                    views: [logits], labels: Tensor(RobustVectors.labels, [6]),
                    rows: Tensor(rows, [6]),
                    isPlain: true)
                return objective.losses(
                    of: 0, [StudentOutput(features: logits, logits: Logits(logits))], batch)
            }
            let one = step(RobustVectors.first)
            #expect(one.terms.map(\.name) == ["cross-entropy", "early-learning"])
            #expect(abs(one.means()[0] - 0.7649244280246809) < 1e-6)
            #expect(abs(one.total.item - 0.325643913) < 1e-6)
            try expectClose(
                one.terms[1].values.doubles(),
                [
                    -0.1766770477517766, -0.11559675289771192, -0.12685782631861928,
                    -0.1850180878262496, -0.09773426693146718, -0.17667704775177673,
                ])
            let memory = objective.targets[0]
            try expectClose(
                memory.read(Tensor([5], [1])).doubles(),
                [
                    0.2130299768658523, 0.047533412854493924, 0.01060613802262466,
                    0.028830472257029168,
                ])
            #expect(abs(step(RobustVectors.second).total.item - 0.472325354) < 1e-6)
            try expectClose(
                memory.read(Tensor([2], [1])).doubles(),
                [
                    0.058783296323431634, 0.2754437392728046, 0.1366977137122893,
                    0.0390752506914745,
                ])
        }
    }

    /// The total as training has it, in float64 with the targets held fixed.
    private func loss(_ z: Tensor, _ targets: Tensor, lambda: Double = 3) -> Tensor {
        Losses(
            .init("a", crossEntropy(Logits(z), labels: Tensor(RobustVectors.labels, [6]))),
            .init("b", weight: lambda, earlyLearningRegulariser(Logits(z), targets: targets))
        ).total
    }

    @Test func gradient() throws {
        try withNoLeaks {
            let z = Tensor(RobustVectors.first, [6, 4])
            z.requiresGrad = true
            let targets = earlyLearningTargets(
                .zeros([6, 4], dtype: .float64), Logits(z), beta: 0.7)
            #expect(!targets.requiresGrad && targets.dtype == .float64)
            loss(z, targets).backward()
            let gradient = try #require(z.gradient).doubles()
            try expectClose(
                Array(gradient[..<8]),
                [
                    -0.0699574816687143, 0.037223412685527535, 0.009084568652895086,
                    0.023649500136002644, 0.03493753669703281, -0.0931885866806148,
                    0.04125889901951396, 0.016992150880801304,
                ])
            let step = 1e-5
            for i in RobustVectors.first.indices {
                func moved(_ by: Double) -> Double {
                    var z = RobustVectors.first
                    z[i] += by
                    return loss(Tensor(z, [6, 4]), targets).item
                }
                let difference = (moved(step) - moved(-step)) / (2 * step)
                #expect(abs(gradient[i] - difference) < 1e-9)
            }
        }
    }

    /// Logits that saturate give finite values and gradients.
    @Test func certaintyStaysFinite() throws {
        try withNoLeaks {
            let z = Tensor([200, -200, 0, 0, 0, 200] as [Float], [2, 3])
            z.requiresGrad = true
            var targets = Tensor.zeros([2, 3])
            for _ in 0..<100 { targets = earlyLearningTargets(targets, Logits(z), beta: 0.1) }
            let values = earlyLearningRegulariser(Logits(z), targets: targets)
            values.sum().backward()
            #expect(values.doubles().allSatisfy { $0 < -5 && $0.isFinite })
            let gradient = try #require(z.gradient).doubles()
            #expect(gradient.allSatisfy { $0.isFinite })
        }
    }

    /// Each network of several has a memory of its own, and learns as if it were alone.
    @Test func learnersAreIndependent() throws {
        try withNoLeaks {
            let both = EarlyLearningObjective(samples: 6, classes: 4, learners: 2)
            let alone = (0..<2).map { _ in EarlyLearningObjective(samples: 6, classes: 4) }
            let z = [RobustVectors.first, RobustVectors.second].map {
                Tensor($0, [6, 4]).to(.float32)
            }
            let outputs = z.map { StudentOutput(features: $0, logits: Logits($0)) }
            let batch = TrainingBatch(
                views: [z[0]], labels: Tensor(RobustVectors.labels, [6]), rows: .arange(6),
                isPlain: true)
            for _ in 0..<2 {
                for k in 0..<2 {
                    #expect(
                        both.losses(of: k, outputs, batch).total.item
                            == alone[k].losses(of: 0, [outputs[k]], batch).total.item)
                }
            }
            #expect(both.state.map(\.name) == ["targets.0", "targets.1"])
            for k in 0..<2 {
                #expect(both.targets[k].all.bytes() == alone[k].targets[0].all.bytes())
            }
        }
    }

    // MARK: In training

    /// Without weight it is cross-entropy, to the last bit.
    @Test func withoutWeightItIsCrossEntropy() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let plain = try Tiny.run(Tiny.recipe("model.dropout=0.2"), scratch("plain"))
            let held = try Tiny.run(
                Tiny.recipe("model.dropout=0.2", "method={name: early-learning, lambda: 0}"),
                scratch("held"))
            let (a, b) = (try plain.train().scores.phases[0], try held.train().scores.phases[0])
            #expect(a.student == b.student && a.ema == b.ema)
            for name in ["last", "selected", "ema-last"] {
                let path = "phases/0-student/\(name).safetensors"
                let own = try SafeTensorsFile(path: scratch("plain/\(path)"))
                let other = try SafeTensorsFile(path: scratch("held/\(path)"))
                for tensor in own.tensors {
                    #expect(try own.bytes(of: tensor.name) == other.bytes(of: tensor.name))
                }
            }
        }
    }

    /// After one epoch every sample was seen once: its memory is (1 − β) times a distribution. The term in
    /// the metrics is below zero and falls.
    @Test func theMemoryGrows() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                Tiny.recipe("method={name: early-learning}", "training.epochs=3"), scratch("run"))
            let trainer = try PhaseTrainer(
                run.chain[0], data: run.data, folder: scratch("phase"), environment: .init()
            ) { _ in preconditionFailure("no earlier phase") }
            try trainer.prepare()
            _ = try trainer.run()
            let objective = try #require(trainer.objective as? EarlyLearningObjective)
            let memory = objective.targets[0].all
            #expect(memory.shape == [trainer.data.split.train.count, trainer.data.classCount])
            // 1 − β³
            for sum in memory.sum(-1).doubles() { #expect(abs(sum - 0.657) < 1e-5) }
            let epochs = try String(contentsOfFile: scratch("phase/metrics.jsonl"), encoding: .utf8)
                .split(separator: "\n").map {
                    try JSON.read(EpochMetrics.self, Data($0.utf8))
                }
            let terms = epochs.compactMap { $0.terms["early-learning"] }
            #expect(terms.count == 3 && terms[0] < 0 && terms[2] < terms[0])
        }
    }

    /// The table of samples and the sections say what the memory holds.
    @Test func whatTheMemorySays() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(Tiny.recipe("method={name: early-learning}"), scratch("run"))
            let result = try run.train().scores.phases[0]
            let lines = try String(
                contentsOfFile: scratch("run/phases/0-student/columns.csv"), encoding: .utf8
            ).split(separator: "\n")
            #expect(lines[0] == "student.suggested,student.target-of-given")
            let rows = lines.dropFirst().map { $0.split(separator: ",") }
            let suggested = rows.compactMap { Int($0[0]) }
            let (train, data) = (run.data.split.train, run.data.learning)
            let clean = try #require(data.clean)
            // 1 − β² in all, so that no class can have more.
            #expect(rows.compactMap { Double($0[1]) }.allSatisfy { $0 > 0 && $0 < 0.51 })
            func share(_ labels: [Int]) -> Double {
                Double(zip(suggested, train).count { $0 == labels[$1] }) / Double(train.count)
            }
            let section = try #require(result.sections.first)
            #expect(
                section.values.map(\.key) == [
                    "other-labels.student", "right-suggestions.student", "wrong-label-auc.student",
                ])
            let values = section.values.compactMap(\.value)
            #expect(values.count == 3 && suggested.count == train.count)
            #expect(abs(values[0] - 1 + share(data.labels)) < 1e-12)
            #expect(abs(values[1] - share(clean)) < 1e-12)
        }
    }

    /// Stopped inside the second epoch, where every sample is remembered, and gone on with.
    @Test func resumesToTheSameBytes() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe(
                "method={name: early-learning, beta: 0.5}", "model.dropout=0.2")
            #expect(try Tiny.differences(afterStop: 5, of: recipe, scratch) == [])
            #expect(
                try Tiny.differences(
                    afterStop: 5, of: recipe, scratch, droppingRandomState: true
                ).contains("phases/0-student/last.safetensors"))
        }
    }

    // MARK: Options

    @Test func refusals() throws {
        func said(_ options: String) -> String {
            failure { try Tiny.recipe("method={name: early-learning, \(options)}") }
        }
        #expect(
            said("lambda: -1")
                == "tiny, line 4, method.lambda: value out of range: found -1.0, expected lambda >= 0"
        )
        #expect(
            said("beta: 1")
                == "tiny, line 4, method.beta: value out of range: found 1.0, expected 0 <= beta < 1"
        )
        #expect(
            said("lamda: 1")
                == "tiny, line 4, method.lamda: unknown key \"lamda\" (did you mean \"lambda\"?)")
    }

    @Test func optionsAreInTheKey() throws {
        func key(_ options: String) throws -> String {
            try Tiny.recipe("method={name: early-learning\(options)}")
                .phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }[0].key
        }
        #expect(try key("") == key(", lambda: 3, beta: 0.7"))
        let keys = try ["", ", lambda: 1", ", beta: 0.9"].map(key)
        #expect(Set(keys).count == 3)
    }

    @Test func theExampleIsRead() throws {
        let recipe = try RecipeFile(path: Tiny.example("early-learning.yaml")).decoded(Recipe.self)
        #expect(recipe.method == AnyMethod(EarlyLearning()))
        #expect(try RecipeFile(text: recipe.yaml, file: "again").decoded(Recipe.self) == recipe)
    }
}
