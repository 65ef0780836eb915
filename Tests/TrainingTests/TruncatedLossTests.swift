import Diagnostics
import Distillation
import Foundation
import SafeTensors
import TestSupport
import Testing
import Torch

@testable import Training

/// Truncated generalised cross-entropy in training: when samples are looked at, by whom, and what is kept.
@Suite(.serialized, .takesTurns) struct TruncatedLossTests {
    private func trained(_ method: String, _ folder: String, epochs: Int = 3) throws -> Run {
        let run = try Tiny.run(
            Tiny.recipe("method=\(method)", "training.epochs=\(epochs)"), folder)
        _ = try run.train()
        return run
    }

    /// While every sample counts it is gce, to the last bit of the weights: a constant has no gradient.
    @Test func withoutTruncationItIsGCE() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            _ = try trained("{name: cross-entropy, loss: gce}", scratch("plain"))
            _ = try trained(
                "{name: truncated-gce, threshold: 1e-30, start: 1, every: 1}", scratch("whole"))
            let path = "phases/0-student/last.safetensors"
            let own = try SafeTensorsFile(path: scratch("plain/\(path)"))
            let other = try SafeTensorsFile(path: scratch("whole/\(path)"))
            for tensor in own.tensors {
                #expect(try own.bytes(of: tensor.name) == other.bytes(of: tensor.name))
            }
        }
    }

    /// Nothing is left out before `start`; then it is what the best weights so far say.
    @Test func theBestWeightsLook() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe(
                "method={name: truncated-gce, q: 0.1, start: 2, every: 2, threshold: 0.2}",
                "training.epochs=5", "optimizer.learning-rate=0.1")
            let run = try Tiny.run(recipe, scratch("run"))
            var environment = TrainingEnvironment()
            let notes = Notes()
            environment.observe = { if case .note(_, let text?) = $0 { notes.add(text) } }
            let trainer = try PhaseTrainer(
                run.chain[0], data: run.data, folder: scratch("phase"), environment: environment
            ) { _ in preconditionFailure("no earlier phase") }
            try trainer.prepare()
            _ = try trainer.run()
            let objective = try #require(trainer.objective as? TruncatedLossObjective)
            let weights = objective.weights.all.doubles()
            #expect(Set(weights) == [0, 1])
            // Before epochs 2 and 4.
            #expect(notes.all.count == 2)
            #expect(
                notes.all[1].hasPrefix("\(weights.count { $0 == 0 }) of 170 samples are left out"))
            let history = try EpochMetrics.read(scratch("phase/metrics.jsonl"))
            let kept = history.compactMap { $0.metrics?["kept"] }
            #expect(kept.count == 5 && kept[0] == 1 && kept[1] == 1 && kept[2] == kept[3])
            #expect(kept[4] == Double(weights.count { $0 == 1 }) / 170)
            // More of what counts is right than of all.
            let precision = history.compactMap { $0.metrics?["label-precision"] }
            #expect(precision.count == 5 && precision[4] > precision[0])
            #expect(history.allSatisfy { $0.terms["truncated-gce"] != nil })
        }
    }

    @Test func columnsAndSections() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try trained(
                "{name: truncated-gce, start: 1, threshold: 0.3}", scratch("run"))
            let lines = try String(
                contentsOfFile: scratch("run/phases/0-student/columns.csv"), encoding: .utf8
            ).split(separator: "\n")
            #expect(
                lines[0] == "student.weight,student.suggested,student.probability-of-given")
            let rows = lines.dropFirst().map { $0.split(separator: ",") }
            #expect(rows.count == run.data.split.train.count)
            #expect(rows.allSatisfy { $0[0] == "0" || $0[0] == "1" })
            #expect(rows.compactMap { Double($0[2]) }.allSatisfy { (0...1).contains($0) })
            let result = try #require(try run.store.result(run.chain[0]))
            let section = try #require(result.sections.first)
            #expect(
                section.values.map(\.key) == ["kept", "label-precision", "wrong-label-auc"])
            let kept = Double(rows.count { $0[0] == "1" }) / Double(rows.count)
            #expect(try abs(#require(section.values[0].value) - kept) < 1e-12)
        }
    }

    /// Stopped inside the epoch whose beginning looked at the samples.
    @Test func resumesToTheSameBytes() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe(
                "method={name: truncated-gce, q: 0.1, start: 1, every: 1, threshold: 0.15}",
                "model.dropout=0.2", "training.epochs=3", "optimizer.learning-rate=0.1")
            #expect(try Tiny.differences(afterStop: 5, of: recipe, scratch) == [])
            #expect(
                try Tiny.differences(
                    afterStop: 5, of: recipe, scratch, droppingRandomState: true
                ).contains("phases/0-student/last.safetensors"))
        }
    }

    @Test func refusals() throws {
        func said(_ options: String) -> String {
            failure { try Tiny.recipe("method={name: truncated-gce, \(options)}") }
        }
        let place = "tiny, line 4, method"
        #expect(
            said("q: 0")
                == "\(place).q: value out of range: found 0.0, expected above 0 and at most 1")
        #expect(
            said("threshold: 1")
                == "\(place).threshold: value out of range: found 1.0, expected above 0 and below 1"
        )
        #expect(
            said("start: 0") == "\(place).start: value out of range: found 0, expected 1 to 100000")
        #expect(
            said("every: 0") == "\(place).every: value out of range: found 0, expected 1 to 100000")
        #expect(
            said("start: 2")
                == "\(place).start: value out of range: found 2, expected below training.epochs, 2")
    }

    /// Without `start` a third of the epochs goes by.
    @Test func theUsualStart() throws {
        func key(_ options: String, epochs: Int) throws -> String {
            try Tiny.recipe(
                "method={name: truncated-gce\(options)}", "training.epochs=\(epochs)"
            ).phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }[0].key
        }
        #expect(try key("", epochs: 30) == key("", epochs: 30))
        #expect(try key("", epochs: 30) != key(", start: 11", epochs: 30))
        let target = try Tiny.recipe("method={name: truncated-gce}", "training.epochs=30")
            .phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }[0].target.base
        #expect((target as? TruncatedLoss.Target)?.start == 10)
    }

    @Test func theExampleIsRead() throws {
        let recipe = try RecipeFile(path: Tiny.example("truncated-gce.yaml")).decoded(Recipe.self)
        #expect(recipe.method == AnyMethod(TruncatedLoss(.init(start: 8, every: 4))))
        #expect(try RecipeFile(text: recipe.yaml, file: "again").decoded(Recipe.self) == recipe)
    }
}

/// What a log was told.
private final class Notes: @unchecked Sendable {
    // Told by the training thread alone, which is the test's own.
    private(set) var all: [String] = []
    func add(_ text: String) { all.append(text) }
}
