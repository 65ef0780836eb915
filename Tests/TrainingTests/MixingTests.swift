import Diagnostics
import Distillation
import Files
import Foundation
import Models
import SafeTensors
import Synchronization
import TestSupport
import Testing
import Torch

@testable import Datasets
@testable import Training

/// Adaptive mixing as training does it: chains, the meta pass, what is kept and what is recorded.
@Suite(.serialized, .takesTurns) struct MixingTests {
    private let adaptive =
        "method={name: adaptive-mixing, warm-up: 0, meta-interval: 1, batches-per-group: 2, temperature: 2, initial-weight: 0.5}"

    private func recipe(_ method: String, _ changes: String...) throws -> Recipe {
        var file = try RecipeFile(text: Tiny.text, file: "tiny").setting(method)
        for change in changes { file = try file.setting(change) }
        return try file.decoded(Recipe.self)
    }

    private func chain(_ method: String, _ changes: String...) throws -> [PhaseSpec] {
        var recipe = try recipe(method)
        for change in changes {
            recipe = try RecipeFile(text: Tiny.text, file: "tiny").setting(method).setting(change)
                .decoded(Recipe.self)
        }
        return try recipe.phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }
    }

    // MARK: Chains

    @Test func teachersAreTrainedFirst() throws {
        let one = try chain(adaptive)
        #expect(one.map(\.name) == ["teacher", "student"])
        #expect(one[0].model == one[1].model, "self-distillation unless a model is named")
        let several = try chain(
            "method={name: adaptive-mixing, teachers: [{}, {model: {name: lenet5}, snapshot-epochs: [1]}, {}, "
                + "{untrained: true}]}")
        #expect(several.map(\.name) == ["teacher-1", "teacher-2", "teacher-3", "student"])
        guard let entries = (several[3].target.base as? MixingTarget)?.teachers else {
            Issue.record("not a mix")
            return
        }
        // The second teacher comes twice: after epoch 1, and as selected.
        #expect(entries.count == 5)
        #expect(several[1].keep == [1])
        // Two teachers of one architecture are two networks.
        #expect(several[0].derivedSeed != several[2].derivedSeed)
        #expect(Set(several.map(\.index)).count == 3)
    }

    @Test func metaValidationIsASplitOfItsOwn() throws {
        let scratch = try Scratch()
        let run = try Tiny.run(recipe(adaptive), scratch("run"))
        let (split, meta) = (run.data.split, run.data.metaValidation)
        #expect(meta.count == 20)
        #expect(Set(split.train + split.validation + meta).count == 200)
        // Noisy like everything else, unless it was asked for.
        let clean = try #require(run.data.learning.clean)
        #expect(meta.contains { run.data.learning.labels[$0] != clean[$0] })
        let kept = try Tiny.run(
            recipe(adaptive, "data.clean-meta-validation=true"), scratch("kept"))
        #expect(
            kept.data.metaValidation.allSatisfy {
                kept.data.learning.labels[$0] == kept.data.learning.clean![$0]
            })
        let noisy = kept.data.split.validation.contains {
            kept.data.learning.labels[$0] != kept.data.learning.clean![$0]
        }
        #expect(noisy, "the split that selects stays noisy")
        // Nothing changes for who does not ask for it.
        let plain = try Tiny.run(Tiny.recipe(), scratch("plain"))
        #expect(plain.data.metaValidation.isEmpty && plain.data.split.train.count == 170)
    }

    // MARK: Training

    /// Weights are learnt, recorded per sample, and stay in their rule's range.
    @Test func weightsAreLearnt() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                recipe(adaptive, "training.epochs=4", "data.limit=600"), scratch("run"))
            let result = try run.train().scores.phases[1]
            let lambda = try #require(result.value("weight.teacher"))
            let epochs = run.store.metrics(run.chain[1]).compactMap(\.metrics)
            #expect(epochs.map { $0["meta.groups"] ?? 0 } == [0, 4, 4, 4])
            #expect(epochs.allSatisfy { $0["weight.teacher.wrong-labels"] != nil })
            let last = epochs[3]
            #expect(last["weight.teacher.mean"] == lambda)
            #expect(abs(try #require(last["weight.cross-entropy.mean"]) + lambda - 1) < 1e-6)
            let quantiles = [5, 25, 50, 75, 95].map { last["weight.teacher.quantile-\($0)"]! }
            #expect(quantiles[0] < quantiles[4], "samples differ")
            #expect(
                quantiles == quantiles.sorted() && quantiles.allSatisfy { (0...1).contains($0) })
            // Of each training sample, found by its index.
            let lines = String(
                decoding: try readFile(scratch("run/samples.csv")), as: UTF8.self
            ).split(separator: "\n").map {
                $0.split(separator: ",", omittingEmptySubsequences: false)
            }
            #expect(
                lines[0].dropFirst(7).map { $0.dropFirst("student.".count) } == [
                    "teacher-predicts", "weight-cross-entropy", "weight-teacher",
                    "alignment-first", "alignment-latest",
                ])
            #expect(lines[0].dropFirst(7).allSatisfy { $0.hasPrefix("student.") })
            let cells = lines.dropFirst().filter { $0[1] == "train" }
            #expect(cells.map { Int($0[0])! } == run.data.split.train)
            let mean = cells.map { Double($0[9])! }.reduce(0, +) / Double(cells.count)
            #expect(abs(mean - lambda) < 1e-4)
            let others = lines.dropFirst().filter { $0[1] != "train" }
            #expect(others.count == run.data.split.validation.count)
            #expect(others.allSatisfy { $0.count == 12 && $0[7...].allSatisfy(\.isEmpty) })
        }
    }

    /// With fixed weights, adaptive mixing that never has a meta pass is the fixed baseline.
    @Test func withoutAPassWeightsAreFixed() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let late = try Tiny.run(
                recipe(
                    "method={name: adaptive-mixing, warm-up: 100, initial-weight: 0.7}"),
                scratch("late"))
            let fixed = try Tiny.run(
                recipe(
                    "method={name: adaptive-mixing, weighting: fixed, initial-weight: 0.7}",
                    "data.meta-validation=0.1"), scratch("fixed"))
            let (a, b) = (try late.train().scores.phases[1], try fixed.train().scores.phases[1])
            #expect(a.student.last.test.accuracy == b.student.last.test.accuracy)
            #expect(abs(a.student.last.test.nll - b.student.last.test.nll) < 1e-5)
            #expect(b.value("weight.teacher") == nil)
        }
    }

    @Test(arguments: [
        "weighting: dropping, drop: 0.5", "weighting: super-loss", "weighting: fixed",
        "rule: box", "rule: simplex", "rule: softmax, extra-losses: [gce]",
        "divergence: {name: renyi, order: 1.5}, loss: gce",
    ])
    func everyVariantTrains(_ options: String) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                recipe(
                    "method={name: adaptive-mixing, warm-up: 0, meta-interval: 1, initial-weight: 0.5, teachers: "
                        + "[{}, {snapshot-epochs: [1], corrupt: {share: 0.5}}, {untrained: true}], \(options)}"
                ),
                scratch("run"))
            let result = try run.train()
            #expect(result.evaluations.last.test.nll.isFinite)
            #expect(
                FileManager.default.fileExists(
                    atPath: scratch("run/phases/2-teacher-2/epoch-1.safetensors")))
        }
    }

    /// The weights w [N, K] after meta passes over a student whose features are `scale` times as long
    /// and whose last layer's weights are as much smaller, so that it says the same of every sample.
    private func learnt(
        _ run: Run, _ teacher: SafeTensorsFile, scale: Double, passes: Int, _ folder: String
    ) throws -> [Float] {
        let trainer = try PhaseTrainer(
            run.chain[1], data: run.data, folder: folder, environment: .init()
        ) { _ in (run.chain[0].model, try WeightsFile.tensors(of: teacher)) }
        for (name, tensor) in trainer.learners[0].network.state where name != "layers.1.bias" {
            tensor.detached().multiplyInPlace(name == "layers.1.weight" ? 1 / scale : scale)
        }
        let mixing = try #require(trainer.objective as? AdaptiveMixingObjective)
        for epoch in 1...passes {
            trainer.epoch = epoch
            try mixing.beginEpoch(EpochContext(trainer: trainer))
        }
        return mixing.table.weights().floats()
    }

    /// Features times ten and a tenth of the last layer: the same weights after whole meta passes. The
    /// papers' step, `none`, is the negative control.
    @Test(
        arguments: [MixingRule.convexClamp, .box, .softmax],
        [(1, "auto"), (3, "auto"), (1, "none")])
    func scaleOfTheFeaturesHasNoPart(_ rule: MixingRule, _ way: (passes: Int, scale: String)) throws
    {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                recipe(
                    "method={name: adaptive-mixing, rule: \(rule.rawValue), meta-step-scale: \(way.scale), "
                        + "warm-up: 0, meta-interval: 1, initial-weight: 0.5}", "data.limit=600"),
                scratch("run"))
            _ = try run.store.complete(
                run.chain[0], chain: run.chain, data: run.data, environment: .init())
            let file = try SafeTensorsFile(path: run.store.weightsPath(run.chain[0], .selected))
            let plain = try learnt(
                run, file, scale: 1, passes: way.passes, scratch("phase"))
            for scale in [10, 0.1] {
                let scaled = try learnt(
                    run, file, scale: scale, passes: way.passes, scratch("phase"))
                let difference = zip(plain, scaled).map { abs($0 - $1) }.max()!
                if way.scale == "auto" {
                    #expect(difference < 1e-3, "features times \(scale): \(difference)")
                } else {
                    #expect(difference > 0.01, "features times \(scale): \(difference)")
                }
            }
            #expect(plain.max()! - plain.min()! > 0.05, "weights have moved")
        }
    }

    // MARK: Interruption

    /// Killed inside a meta pass, or stopped there by hand, the run ends in the same bytes.
    @Test(arguments: [1, 2, 3, 4], [false, true])
    func resumesInsideAMetaPass(_ group: Int, _ isKilled: Bool) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try recipe(adaptive, "training.epochs=3", "data.limit=300")
            let whole = try Tiny.run(recipe, scratch("whole"))
            _ = try whole.train()
            func interrupted(_ name: String, _ files: FaultyFileSystem) throws -> Int {
                let seen = Counter()
                var environment = TrainingEnvironment()
                environment.files = files
                // A group of the pass is done.
                environment.observe = { event in
                    if case .note(_, nil) = event { seen.add(files.callCount) }
                }
                environment.shouldStop = { seen.value == group }
                let run = try Tiny.run(recipe, scratch(name), environment)
                #expect(failure { try run.train() } != "nothing thrown")
                return seen.last
            }
            let calls = try interrupted(isKilled ? "counted" : "run", FaultyFileSystem())
            if isKilled {
                // The process dies where an orderly stop would have begun to write.
                _ = try interrupted("run", FaultyFileSystem(.init(.stop, atCall: calls)))
            }
            let second = try Tiny.run(recipe, scratch("run"))
            _ = try second.train()
            let (a, b) = (try Tiny.content(scratch("whole")), try Tiny.content(scratch("run")))
            #expect(Set(a.keys) == Set(b.keys))
            for (path, bytes) in a { #expect(b[path] == bytes, "\(path)") }
        }
    }

    @Test func refusals() {
        func said(_ method: String) -> String { failure { try recipe("method=\(method)") } }
        #expect(
            said("{name: adaptive-mixing, teachers: [{snapshot-epochs: [9]}]}")
                == "tiny, line 4, method.teachers.0.snapshot-epochs: value out of range: found 9, expected at most "
                + "training.epochs, 2")
        #expect(
            said("{name: adaptive-mixing, weighting: fixed, initial-weight: uniform}")
                == "tiny, line 4, method.initial-weight: value out of range: found uniform, expected a number, where "
                + "weights are fixed")
        #expect(said("{name: adaptive-mixing, teachers: [{modl: {}}]}").contains("model"))
    }

    /// By hand: 3 of 4 pairs in order, one tie.
    @Test func rankStatistic() {
        #expect(rankAUC([1, 2, 3, 4], [false, false, true, true]) == 1)
        #expect(rankAUC([4, 3, 2, 1], [false, false, true, true]) == 0)
        #expect(rankAUC([1, 2, 2, 4], [false, true, false, true]) == 0.875)
        #expect(rankAUC([1, 2], [true, true]) == nil)
    }
}

/// Counts from whatever thread, and keeps what came with the last count.
private final class Counter: Sendable {
    private let state = Mutex((count: 0, latest: 0))
    var value: Int { state.withLock { $0.count } }
    var last: Int { state.withLock { $0.latest } }

    func add(_ value: Int) { state.withLock { $0 = ($0.count + 1, value) } }
}
