import Diagnostics
import Distillation
import Foundation
import SafeTensors
import TestSupport
import Testing
import Torch

@testable import Training

/// Losses that are corrected by a transition matrix, in recipes, chains and runs.
@Suite(.serialized, .takesTurns) struct LossCorrectionTests {
    private static let estimated = "{name: forward, transition: {estimate: anchors}}"

    private func chain(_ method: String, _ changes: String...) throws -> [PhaseSpec] {
        var file = try RecipeFile(text: Tiny.text, file: "tiny").setting("method=\(method)")
        for change in changes { file = try file.setting(change) }
        return try file.decoded(Recipe.self).phases(dataHash: "d", compute: Tiny.compute) { _ in "h"
        }
    }

    // MARK: Chains

    /// The network that says how labels go wrong comes first in every method that takes a label loss.
    @Test func theEstimateComesFirst() throws {
        let forward = Self.estimated
        let plain = try chain("{name: cross-entropy, loss: \(forward)}")
        #expect(plain.map(\.name) == ["transition", "student"])
        #expect(plain.map(\.index) == [0, 1])
        #expect(plain[1].neededKeys == [plain[0].key])
        // It is the phase of plain cross-entropy: a comparison trains it once.
        #expect(try chain("{name: cross-entropy}")[0].key == plain[0].key)

        let distilled = try chain("{name: distillation, loss: \(forward)}")
        #expect(distilled.map(\.name) == ["teacher", "student"], "the teacher is that network")
        #expect(distilled[1].neededKeys == [plain[0].key])
        let other = try chain(
            "{name: distillation, loss: \(forward), teacher: {model: {name: lenet5}}}")
        #expect(other.map(\.name) == ["teacher", "transition", "student"])

        let peers = try chain("{name: mutual, loss: \(forward)}")
        #expect(peers.map(\.name) == ["transition", "peers"] && peers[1].index == 1)
        let mixing = try chain("{name: adaptive-mixing, extra-losses: [\(forward)]}")
        #expect(mixing.map(\.name) == ["teacher", "student"])
        let mixup = try chain("{name: mixup, loss: \(forward)}")
        #expect(mixup.map(\.name) == ["transition", "student"])
        let guided = try chain(
            "{name: cross-entropy, loss: \(forward)}", "relation={encoder: {epochs: 1, batch: 32}}")
        #expect(guided.map(\.name) == ["relations", "transition", "student"])
        #expect(guided[2].neededKeys == [guided[0].key, plain[0].key])
    }

    /// A matrix that is given needs no phase, and enters the key.
    @Test func givenMatrices() throws {
        func phase(_ rate: Double) throws -> PhaseSpec {
            let rows = (0..<10).map { a in
                (0..<10).map { $0 == a ? 1 - rate : rate / 9 }
            }
            let chain = try chain(
                "{name: cross-entropy, loss: {name: forward, transition: \(rows)}}")
            #expect(chain.count == 1 && chain[0].neededKeys.isEmpty)
            return chain[0]
        }
        #expect(try phase(0.3).key == phase(0.3).key)
        #expect(try phase(0.3).key != phase(0.2).key)
        #expect(try phase(0.3).derivedSeed == chain("{name: cross-entropy}")[0].derivedSeed)
    }

    /// What others are compared with is cross-entropy, not a loss against wrong labels.
    @Test func onlyCrossEntropyIsTheBaseline() throws {
        for loss in ["cross-entropy", "{name: cross-entropy, smoothing: 0.1}"] {
            #expect(try chain("{name: cross-entropy, loss: \(loss)}")[0].traits.isBaseline)
        }
        for loss in ["gce", "bootstrap-hard", Self.estimated] {
            let student = try chain("{name: cross-entropy, loss: \(loss)}").last
            #expect(student?.traits.isBaseline == false)
        }
    }

    // MARK: Runs

    /// The matrix is that of the anchors by the selected weights; it stands beside the true one.
    @Test func theEstimateIsShown() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                Tiny.recipe("method={name: cross-entropy, loss: \(Self.estimated)}"), scratch("run")
            )
            let result = try run.train().scores.phases[1]
            let section = try #require(result.sections.first { $0.title == "Transition matrix" })
            #expect(section.values.map(\.name) == ["labels-kept", "transition-error"])
            let shown = try SectionFiles.read(scratch("run/phases/1-student"), remedy: .remake)
            let maps = try #require(shown.first { $0.title == "Transition matrix" }).heatMaps
            #expect(
                maps.map(\.title) == [
                    "Estimated transition matrix (student)",
                    "True transition matrix, training split (student)",
                ])
            let trainer = try PhaseTrainer(
                run.chain[1], data: run.data, folder: scratch("phase"), environment: .init()
            ) { try run.store.weights($0, chain: run.chain, data: run.data) }
            let context = trainer.context
            let logits = try context.trainingLogits(context.frozen(run.chain[1].sources[0]))
            let expected = try anchorTransition(
                Logits(logits.to(.float64)).probabilities())
            try expectClose(maps[0].values.flatMap(\.self), expected.rows.flatMap(\.self), 1e-12)
            // By counting.
            let (given, clean) = (context.givenLabels, try #require(context.cleanLabels))
            let fours = clean.indices.filter { clean[$0] == 4 }
            let kept = Double(fours.count { given[$0] == 4 }) / Double(fours.count)
            #expect(abs(maps[1].values[4][4] - kept) < 1e-12)
            #expect(maps[1].values.allSatisfy { abs($0.reduce(0, +) - 1) < 1e-12 })
            let error = try #require(result.value("transition-error"))
            try expectClose(
                [error], [try #require(expected.difference(from: maps[1].values)).mean], 1e-12)
        }
    }

    /// The true matrix, given, trains to the same bytes as the loss itself would.
    @Test func correctedTraining() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let identity = (0..<10).map { a in (0..<10).map { $0 == a ? 1 : 0 } }
            func weights(_ loss: String, _ name: String) throws -> [Double] {
                let run = try Tiny.run(
                    Tiny.recipe("method={name: cross-entropy, loss: \(loss)}"), scratch(name))
                _ = try run.train()
                let file = try SafeTensorsFile(
                    path: scratch("\(name)/phases/0-student/last.safetensors"))
                return try file.tensors.filter { $0.dtype == .f32 }.flatMap {
                    try Tensor(bytes: Array(file.bytes(of: $0.name)), $0.shape, dtype: .float32)
                        .doubles()
                }
            }
            let plain = try weights("cross-entropy", "plain")
            for name in ["forward", "backward"] {
                let corrected = try weights("{name: \(name), transition: \(identity)}", name)
                try expectClose(corrected, plain, 1e-5, name)
            }
        }
    }

    /// Stopped in the first and in the second phase.
    @Test(arguments: [3, 8]) func resumesToTheSameBytes(stop: Int) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe(
                "method={name: cross-entropy, loss: \(Self.estimated)}", "model.dropout=0.2")
            #expect(try Tiny.differences(afterStop: stop, of: recipe, scratch) == [])
        }
    }

    /// An estimate that cannot be inverted ends the run with one line.
    @Test func estimatesThatCannotBeInverted() throws {
        let scratch = try Scratch()
        // The decay takes all weights to 0 at every step: each sample says the same of every class.
        let recipe = try Tiny.recipe(
            "method={name: cross-entropy, loss: {name: backward, transition: {estimate: anchors}}}",
            "optimizer={learning-rate: 1e-6, momentum: 0, weight-decay: 1e6}",
            "model={name: mlp, hidden: []}", "schedule={kind: constant}", "training.epochs=1")
        let said = failure { try Tiny.run(recipe, scratch("run")).train() }
        #expect(
            said.hasPrefix(
                "phase student, estimated transition matrix: the transition matrix is too close to "
                    + "singular: found condition number "), "\(said)")
        #expect(said.hasSuffix("expected at most 1000 (loss forward does not invert it)"))
    }

    /// The same estimate, corrected by forwards, trains and says what it is worth.
    @Test func estimatesThatSayNothing() throws {
        let scratch = try Scratch()
        let recipe = try Tiny.recipe(
            "method={name: cross-entropy, loss: \(Self.estimated)}",
            "optimizer={learning-rate: 1e-6, momentum: 0, weight-decay: 1e6}",
            "model={name: mlp, hidden: []}", "schedule={kind: constant}", "training.epochs=1")
        let warnings = try Tiny.run(recipe, scratch("run")).train().scores.phases[1].warnings
        #expect(
            warnings.contains(
                "the estimated transition matrix is close to singular: it tells classes hardly apart"
            ))
        #expect(warnings.contains { $0.hasPrefix("by the estimated transition matrix, ") })
    }

    // MARK: Recipes

    @Test func refusals() throws {
        func said(_ loss: String) -> String {
            failure { try Tiny.recipe("method={name: cross-entropy, loss: \(loss)}") }
        }
        let place = "tiny, line 4, method.loss"
        #expect(
            said("forward")
                == "\(place): missing key \"transition\" (a row of probabilities per class, or "
                + "{estimate: anchors})")
        #expect(
            said("{name: forward, transition: anchors}")
                == "\(place).transition: value out of range: found \"anchors\", expected a row of numbers "
                + "per class, or {estimate: anchors}")
        #expect(
            said("{name: forward, transition: [[0.9, 0.1], [0.3, 0.8]]}")
                == "\(place).transition.1: row does not add up: found 1.1, expected 1 within 1e-6 (row = "
                + "true class, column = given label)")
        #expect(
            said("{name: forward, transition: [[0.9, 0.1], [1]]}")
                == "\(place).transition.1: value out of range: found 1 numbers, expected 2, as there are "
                + "2 rows")
        #expect(
            said("{name: forward, transition: [[1, 0], [1, 0]]}")
                == "\(place).transition: a label would have an infinite loss: found column 1 of zeros, "
                + "expected a number above 0 in every column")
        #expect(
            said("{name: backward, transition: [[0.5, 0.5], [0.5, 0.5]]}")
                == "\(place).transition: the transition matrix is too close to singular: found condition "
                + "number infinite, expected at most 1000 (loss forward does not invert it)")
        #expect(
            said("{name: backward, transition: [[0.5004, 0.4996], [0.4997, 0.5003]]}")
                .contains("found condition number 1.43e+03, expected at most 1000"))
        #expect(
            said("{name: backward, transition: {estimate: anchor}}")
                == "\(place).transition.estimate: unknown word \"anchor\" (did you mean \"anchors\"?)"
        )
        #expect(
            said("{name: backward, transition: {estimate: anchors, identity: 1}}")
                == "\(place).transition.identity: value out of range: found 1.0, expected 0 to below 1"
        )
        #expect(
            said("{name: bootstrap-soft, beta: 0}")
                == "\(place).beta: value out of range: found 0.0, expected above 0 and at most 1")
        #expect(
            said("{name: confidence-penalty, weight: -1}")
                == "\(place).weight: value out of range: found -1.0, expected 0 or more")
        #expect(
            said("{name: sce, log-zero: papers}")
                == "\(place).log-zero: value out of range: found \"papers\", expected a number below 0, "
                + "paper (-4) or code (ln 1e-4)")
        #expect(
            said("{name: cross-entropy, smoothing-over: other}")
                == "\(place).smoothing-over: unknown word \"other\" (did you mean \"others\"?)")
        #expect(
            said("{name: gce, beta: 0.5}").hasPrefix("\(place).beta: unknown key \"beta\""))
    }

    /// What does not fit the data is said before anything is written.
    @Test func classesOfTheData() throws {
        let scratch = try Scratch()
        func said(_ method: String) throws -> String {
            let recipe = try Tiny.recipe("method=\(method)")
            return failure { try Tiny.run(recipe, scratch("run")).train() }
        }
        let two = "{name: forward, transition: [[0.9, 0.1], [0.2, 0.8]]}"
        let sentence = "value out of range: found 2 rows, expected 10, one per class"
        for name in ["cross-entropy", "distillation", "mutual", "mixup", "adaptive-mixing"] {
            #expect(
                try said("{name: \(name), loss: \(two)}") == "method.loss.transition: \(sentence)")
        }
        #expect(
            try said("{name: adaptive-mixing, extra-losses: [gce, \(two)]}")
                == "method.extra-losses.1.transition: \(sentence)")
        #expect(
            try said(
                "{name: cross-entropy, loss: {name: cross-entropy, smoothing: 0.95, smoothing-over: others}}"
            )
                == "method.loss.smoothing: value out of range: found 0.95 over the others, expected at "
                + "most 9/10, which is uniform")
        #expect(!FileManager.default.fileExists(atPath: scratch("run/phases")))
    }

    /// Written out and read again, every loss is the same; those that were there keep their words.
    @Test func lossesRoundTrip() throws {
        func recipe(_ loss: String) throws -> Recipe {
            try Tiny.recipe("method={name: cross-entropy, loss: \(loss)}")
        }
        let losses = [
            "{name: cross-entropy, smoothing: 0.1, smoothing-over: others}", "bootstrap-soft",
            "{name: bootstrap-soft, beta: 0.7, stop-gradient: true}", "bootstrap-hard",
            "confidence-penalty", "{name: sce, log-zero: code}",
            "{name: forward, transition: [[0.9, 0.1], [0.25, 0.75]]}",
            "{name: backward, transition: {estimate: anchors, filter-outliers: false, identity: 0.1}}",
            Self.estimated,
        ]
        for loss in losses {
            let first = try recipe(loss)
            let again = try RecipeFile(text: first.yaml, file: "again").decoded(Recipe.self)
            #expect(again.method == first.method, "\(loss)")
        }
        #expect(try recipe("{name: sce, log-zero: paper}") == recipe("sce"))
        #expect(
            try recipe("{name: cross-entropy, smoothing-over: others}") == recipe("cross-entropy"))
        #expect(try recipe("{name: sce, log-zero: code}") != recipe("sce"))
        #expect(
            try !recipe("{name: cross-entropy, smoothing: 0.1}").yaml.contains("smoothing-over"))
    }

    @Test func theExampleIsRead() throws {
        let recipe = try RecipeFile(path: Tiny.example("forward-correction.yaml"))
            .decoded(Recipe.self)
        let loss = (recipe.method.base as? CrossEntropy)?.loss
        #expect(loss == .forward(.estimated(.anchors(.init()))))
    }
}
