import Diagnostics
import Files
import Foundation
import SafeTensors
import TestSupport
import Testing
import Torch

@testable import Training

/// What a phase promises: it stops when numbers go wrong, selects on validation, and is known by a
/// key that says all that its result depends on.
@Suite(.serialized, .takesTurns) struct PhaseTests {
    // MARK: Numbers that are not finite

    @Test func stopsWithinOneStep() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe(
                "optimizer.learning-rate=1e30", "training.checkpoint-steps=1")
            let said = failure { try Tiny.run(recipe, scratch("run")).train() }
            let checkpoints = scratch("run/phases/0-student/checkpoints")
            // Step 1 sees the initial weights; its update throws them away and step 2 notices.
            #expect(
                said == "phase student, epoch 1, step 2: the loss is not finite: found term "
                    + "\"cross-entropy\", expected a finite number (lower optimizer.learning-rate; the last "
                    + "checkpoint is \(checkpoints)/step-000000000001)")
            let store = CheckpointStore(folder: checkpoints, files: LocalFileSystem())
            #expect(try store.load()?.record.step == 1)
        }
    }

    @Test func weightsThatAreNotFiniteAreNeverSaved() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            // The update itself overflows.
            let recipe = try Tiny.recipe(
                "optimizer.learning-rate=1e39", "training.checkpoint-steps=1",
                "optimizer.momentum=0")
            let said = failure { try Tiny.run(recipe, scratch("run")).train() }
            #expect(
                said.hasPrefix(
                    "phase student, epoch 1, step 1: the weights are not finite: found tensor "),
                "\(said)")
            #expect(
                said.hasSuffix("(lower optimizer.learning-rate; no checkpoint was written yet)"),
                "\(said)")
            let store = CheckpointStore(
                folder: scratch("run/phases/0-student/checkpoints"), files: LocalFileSystem())
            #expect(try store.load() == nil)
        }
    }

    // MARK: Selection and early stopping

    private func metrics(_ run: Run, _ phase: Int = 0) -> [EpochMetrics] {
        run.store.metrics(run.chain[phase])
    }

    @Test(arguments: ["accuracy", "nll"]) func selectsTheBestValidationEpoch(_ criterion: String)
        throws
    {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe(
                "training.epochs=8", "optimizer.learning-rate=0.3",
                "training.selection=\(criterion)")
            let run = try Tiny.run(recipe, scratch("run"))
            let result = try run.train().scores.phases[0]
            let epochs = metrics(run)
            #expect(epochs.map(\.epoch) == Array(1...8))
            let values = epochs.map {
                criterion == "nll" ? -$0.validation.nll : $0.validation.accuracy
            }
            let best = values.firstIndex(of: values.max()!)! + 1
            #expect(result.student.selectedEpoch == best)
            #expect(
                result.student.selected.validation.accuracy == epochs[best - 1].validation.accuracy)
            #expect(result.student.selected.test.nll == epochs[best - 1].test.nll)
            #expect(result.student.last.test.nll == epochs[7].test.nll)
            // What is saved is what was measured.
            let saved = try SavedModel(path: scratch("run"))
            let measured = try saved.evaluate(run.data.test, members: run.data.testMembers)
            #expect(measured.accuracy == result.student.selected.test.accuracy)
            #expect(abs(measured.nll - result.student.selected.test.nll) < 1e-5)
        }
    }

    @Test func patience() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let long = try Tiny.run(
                Tiny.recipe("training.epochs=12", "schedule.kind=constant"), scratch("long"))
            _ = try long.train()
            let values = metrics(long).map(\.validation.accuracy)
            // The first epoch after which two brought nothing better; the schedule is constant, so
            // that shorter training sees the same epochs.
            let stop = try #require(
                (3...12).first { n in
                    let best = values[..<n].firstIndex(of: values[..<n].max()!)!
                    return n - 1 - best >= 2
                })
            let short = try Tiny.run(
                Tiny.recipe("training.epochs=12", "schedule.kind=constant", "training.patience=2"),
                scratch("short"))
            let result = try short.train()
            #expect(result.scores.phases[0].epochs == stop)
            #expect(metrics(short).map(\.validation.accuracy) == Array(values[..<stop]))
        }
    }

    /// The average is measured beside the network and never changes it.
    @Test func emaDoesNotTouchTraining() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let with = try Tiny.run(Tiny.recipe(), scratch("with"))
            let without = try Tiny.run(Tiny.recipe("training.ema=0"), scratch("without"))
            let a = try with.train().scores.phases[0]
            let b = try without.train().scores.phases[0]
            #expect(a.student == b.student)
            #expect(a.ema != nil && b.ema == nil)
            #expect(a.ema?.last != a.student.last)
        }
    }

    // MARK: The three methods

    @Test func chains() throws {
        func names(_ changes: String...) throws -> [String] {
            var file = try RecipeFile(text: Tiny.text, file: "tiny")
            for change in changes { file = try file.setting(change) }
            return try file.decoded(Recipe.self).phases(dataHash: "d", compute: Tiny.compute) { _ in
                "h"
            }
            .map { "\($0.index)-\($0.name)" }
        }
        #expect(try names() == ["0-student"])
        #expect(try names("method={name: distillation}") == ["0-teacher", "1-student"])
        #expect(
            try names("method={name: distillation, teacher: {file: t.safetensors}}") == [
                "1-student"
            ])
        #expect(
            try names("method={name: self-distillation, stages: 2}") == [
                "0-stage-0", "1-stage-1", "2-stage-2",
            ])
    }

    /// Cross-entropy, a teacher and stage 0 are one phase: trained once in a comparison.
    @Test func firstPhasesAreShared() throws {
        func first(_ method: String) throws -> PhaseSpec {
            try Tiny.recipe("method=\(method)", "training.checkpoint-steps=1")
                .phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }[0]
        }
        let ce = try first("{name: cross-entropy}")
        #expect(try first("{name: distillation}").key == ce.key)
        #expect(try first("{name: self-distillation, stages: 3, labels: hard}").key == ce.key)
        #expect(try first("{name: cross-entropy, smoothing: 0.1}").key != ce.key)
        // A teacher of another architecture is another phase.
        #expect(try first("{name: distillation, teacher: {model: {name: lenet5}}}").key != ce.key)
    }

    @Test func everythingThatMattersIsInTheKey() throws {
        func key(_ change: String?, _ compute: ComputeOptions = Tiny.compute, hash: String = "d")
            throws -> String
        {
            let recipe = try change.map { try Tiny.recipe($0) } ?? Tiny.recipe()
            return try recipe.phases(dataHash: hash, compute: compute) { _ in "h" }[0].key
        }
        let base = try key(nil)
        for change in [
            "seed=1", "noise.rate=0.2", "model.hidden=[17]", "optimizer.learning-rate=0.03",
            "schedule.kind=constant", "training.epochs=3", "training.batch=63",
            "training.augmentation.padding=1", "training.ema=0.8", "training.patience=3",
            "training.selection=nll", "data.validation=0.2", "data.limit=199",
            "data.clean-validation=true", "method.smoothing=0.1", "optimizer.weight-decay=0.1",
        ] {
            #expect(try key(change) != base, "\(change)")
        }
        #expect(try key(nil, hash: "e") != base)
        #expect(try key(nil, ComputeOptions(threads: 2)) != base)
        #expect(try key(nil, ComputeOptions(threads: 1, precision: .bfloat16)) != base)
        // What changes no result.
        for change in ["name=other", "training.checkpoint-steps=9", "training.use-ema=true"] {
            #expect(try key(change) == base, "\(change)")
        }
    }

    /// Keys name folders that must be found again by a later version: a change is a decision.
    @Test func keyIsStable() throws {
        var compute = Tiny.compute
        (compute.engine, compute.capability) = ("2.13.0", "AVX2")
        let chain = try Tiny.recipe("method={name: self-distillation, stages: 1, beta: 0.5}")
            .phases(dataHash: "d", compute: compute) { _ in "h" }
        #expect(chain.map(\.key) == ["bb17ca7c8851e683af4feaa9", "ce48b0d3b435bd8eb972ad3e"])
    }

    /// A loss that is named as its default is the same phase; another one is another, but not for the
    /// teacher and stage 0, which learn by cross-entropy whatever comes after them.
    @Test func lossesAreInTheKey() throws {
        func chain(_ method: String) throws -> [String] {
            try Tiny.recipe("method=\(method)")
                .phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }.map(\.key)
        }
        func differ(_ name: String, same: [String], other: [String]) throws {
            let base = try chain("{name: \(name)}")
            for text in same { #expect(try chain("{name: \(name), \(text)}") == base, "\(text)") }
            var keys: Set = [base.last!]
            for text in other {
                let keysOfChain = try chain("{name: \(name), \(text)}")
                #expect(keysOfChain.dropLast() == base.dropLast())
                #expect(keys.insert(keysOfChain.last!).inserted, "\(text)")
            }
        }
        try differ(
            "cross-entropy", same: ["loss: cross-entropy"],
            other: ["loss: gce", "loss: {name: gce, q: 0.5}", "loss: sce"])
        try differ(
            "distillation", same: ["loss: cross-entropy", "divergence: {name: kl}"],
            other: [
                "loss: gce", "divergence: reverse-kl", "divergence: {name: renyi, order: 2}",
                "divergence: {name: renyi, order: .inf}", "divergence: jensen-shannon",
                "divergence: dkd", "divergence: {name: dkd, target: 2}", "standardise-logits: true",
            ])
        try differ(
            "self-distillation", same: ["labels: soft"],
            other: ["divergence: kl", "divergence: renyi", "divergence: {name: renyi, order: 3}"])
    }

    /// The student learns by each kind of loss, and twice the same.
    @Test(arguments: [
        "{name: cross-entropy, loss: gce}",
        "{name: distillation, divergence: {name: renyi, order: 1.5}, loss: sce}",
        "{name: distillation, divergence: dkd, standardise-logits: true}",
        "{name: self-distillation, divergence: {name: jensen-shannon, weight: 0.3}}",
    ])
    func trainsWithOtherLosses(_ method: String) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe("method=\(method)")
            let first = try Tiny.run(recipe, scratch("a"))
            let result = try first.train()
            let again = try Tiny.run(recipe, scratch("b")).train()
            #expect(result.scores.phases.map(\.student) == again.scores.phases.map(\.student))
            let losses = metrics(first, first.chain.count - 1).map(\.loss)
            #expect(losses.last! < losses.first!, "\(losses)")
        }
    }

    /// KL from soft labels has the gradient of cross-entropy with them; other divergences do not.
    @Test func divergenceFromSoftLabels() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            func accuracy(_ extra: String) throws -> PhaseResult.Scores {
                let recipe = try Tiny.recipe("method={name: self-distillation, beta: 2\(extra)}")
                return try Tiny.run(recipe, scratch("run\(extra.count)")).train()
                    .scores.phases[1].student.last
            }
            let (plain, kl) = (try accuracy(""), try accuracy(", divergence: kl"))
            #expect(abs(plain.test.nll - kl.test.nll) < 1e-3)
            #expect(abs(plain.test.nll - (try accuracy(", divergence: renyi")).test.nll) > 1e-4)
        }
    }

    @Test func pseudoLabelsAreMeasured() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe(
                "method={name: self-distillation, stages: 1, labels: hard}")
            let run = try Tiny.run(recipe, scratch("run"))
            let result = try run.train()
            let stage = result.scores.phases[1]
            // By hand from the teacher's own predictions on the training samples.
            let teacher = try SavedModel(path: scratch("run/phases/0-stage-0/selected.safetensors"))
            let p = try teacher.probabilities(run.data.learning)
            let clean = try #require(run.data.learning.clean)
            let classes = run.data.classCount
            let hits = run.data.split.train.count { member in
                let row = Array(p[member * classes..<(member + 1) * classes])
                return row.firstIndex(of: row.max()!)! == clean[member]
            }
            #expect(
                stage.value("right-labels") == Double(hits) / Double(run.data.split.train.count))
            #expect(
                stage.value("teacher-accuracy")
                    == result.scores.phases[0].student.selected.test.accuracy)
        }
    }
}
