import Datasets
import Diagnostics
import Foundation
import Report
import Synchronization
import TestSupport
import Testing
import Torch

@testable import Training

/// The noise rate and the transition matrix from networks that did not see the samples.
@Suite(.serialized, .takesTurns) struct NoiseRateTests {
    static let two = "{estimate: confident-joint, folds: 2}"
    static let coTeaching = "method={name: co-teaching, ramp: 1, forget-rate: \(two)}"
    static let forward =
        "method={name: cross-entropy, loss: {name: forward, transition: \(two)}}"

    private func chain(_ changes: String...) throws -> [PhaseSpec] {
        var file = try RecipeFile(text: Tiny.text, file: "tiny")
        for change in changes { file = try file.setting(change) }
        return try file.decoded(Recipe.self)
            .phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }
    }

    // MARK: Phases

    @Test func phasesThatAreSharedBetweenMethods() throws {
        let auto = try chain("method={name: co-teaching}")
        #expect(auto.map(\.name) == (1...5).map { "fold-\($0)" } + ["peers"])
        #expect(auto[5].neededKeys == Set(auto.prefix(5).map(\.key)))
        #expect(Set(auto.map(\.key)).count == 6)
        #expect(auto.allSatisfy { $0.index == 0 })
        let written = try chain(
            "method={name: co-teaching, forget-rate: {estimate: confident-joint}}")
        #expect(written.map(\.key) == auto.map(\.key))
        let corrected = try chain(
            "method={name: cross-entropy, loss: {name: forward, transition: {estimate: confident-joint}}}"
        )
        #expect(corrected.map(\.key).prefix(5) == auto.map(\.key).prefix(5))
        #expect(corrected.last?.name == "student" && corrected.last?.index == 1)
        #expect(corrected.last?.traits.isBaseline == false)
        let mutual = try chain(
            "method={name: mutual, loss: {name: forward, transition: {estimate: confident-joint}}}")
        #expect(mutual.map(\.key).prefix(5) == auto.map(\.key).prefix(5))
        // Another number of folds, another seed: other parts.
        let others = try chain(Self.coTeaching) + chain("method={name: co-teaching}", "seed=1")
        #expect(Set(others.map(\.key)).isDisjoint(with: auto.map(\.key)))
        // The relations that guide the peers do not guide the folds.
        let guided = try chain(
            "method={name: co-teaching}", "relation={encoder: {epochs: 1, batch: 32}}")
        #expect(guided[1...5].map(\.key) == auto[0..<5].map(\.key))
        #expect(guided.last!.neededKeys.count == 6)
    }

    /// A rate that is known trains nothing before, and what the method draws does not depend on it.
    @Test func aKnownRateNeedsNoFolds() throws {
        let known = try chain("method={name: co-teaching, forget-rate: 0.3}")
        #expect(known.map(\.name) == ["peers"] && known[0].neededKeys.isEmpty)
        #expect(try known[0].derivedSeed == chain("method={name: co-teaching}")[5].derivedSeed)
        #expect(try chain("method={name: co-teaching, forget-rate: injected}").count == 1)
    }

    /// A search that ends early looks at the method's own phase, not at a fold.
    @Test func foldsDecideNothing() throws {
        let auto = try chain("method={name: co-teaching}")
        #expect(auto.searchedFirst == auto)
        #expect(auto[0].traits.isPart && !auto[0].traits.isBaseline)
    }

    // MARK: Predictions

    /// Every training sample is left out of exactly one fold's training split, by which it is predicted.
    @Test func predictionsAreOutOfSample() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(Tiny.recipe(Self.coTeaching), scratch("run"))
            _ = try run.train()
            let train = run.data.split.train
            let splits = try run.chain.prefix(2).map {
                try $0.target.base.prepared(run.data).split
            }
            #expect(splits.map(\.train.count).reduce(0, +) == train.count)
            #expect(splits.flatMap(\.train).sorted() == train)
            #expect(splits.allSatisfy { $0.validation == run.data.split.validation })
            let trainer = try PhaseTrainer(
                run.chain[2], data: run.data, folder: scratch("phase"), environment: .init()
            ) { try run.store.weights($0, chain: run.chain, data: run.data) }
            let context = trainer.context
            let sources = run.chain[2].sources
            let joined = try context.outOfSampleLogits(sources)
            for (source, split) in zip(sources, splits) {
                let all = try context.trainingLogits(context.frozen(source)).doubles()
                for (row, member) in train.enumerated() where !split.train.contains(member) {
                    let own = row * 10..<(row + 1) * 10
                    try expectClose(Array(joined[own]), Array(all[own]), 1e-5)
                }
            }
            let estimate = NoiseEstimate(
                try OutOfSample(
                    logProbabilities: joined, labels: context.givenLabels, classes: 10))
            let objective = try #require(trainer.objective as? CoTeachingObjective)
            #expect(objective.rate == estimate.rate)
            #expect((0.01...0.99).contains(objective.rate))
        }
    }

    // MARK: Runs

    @Test func theRateIsSaidAndShown() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let notes = Mutex<[String]>([])
            var environment = TrainingEnvironment()
            environment.observe = { event in
                if case .note(_, let text?) = event { notes.withLock { $0.append(text) } }
            }
            let run = try Tiny.run(Tiny.recipe(Self.coTeaching), scratch("run"), environment)
            let result = try #require(try run.train().scores.phases.last)
            let rate = try #require(result.value("noise-rate"))
            let said = notes.withLock { $0 }
            #expect(
                said.contains {
                    $0.hasPrefix(
                        "up to \(percent(rate)) of each batch is left out, the estimated share of wrong "
                            + "labels ± ")
                }, "\(said)")
            let section = try #require(result.sections.first { $0.title == "Noise rate" })
            #expect(
                section.values.map(\.name) == [
                    "noise-rate", "noise-rate-error", "noise-rate-fit", "noise-rate-surest",
                    "noise-rate-confident", "noise-rate-true",
                    "transition-error", "transition-worst",
                ])
            let shown = try SectionFiles.read(scratch("run/phases/0-peers"), remedy: .remake)
            let maps = try #require(shown.first { $0.title == "Noise rate" }).heatMaps
            #expect(
                maps.map(\.title) == [
                    "Estimated transition matrix (peers)",
                    "True transition matrix, training split (peers)",
                ])
            #expect(maps[0].values.allSatisfy { abs($0.reduce(0, +) - 1) < 1e-9 })
        }
    }

    @Test func aLossIsCorrectedByIt() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(Tiny.recipe(Self.forward), scratch("run"))
            let result = try #require(try run.train().scores.phases.last)
            #expect(result.value("labels-kept") != nil)
            #expect(result.value("transition-error") != nil)
            #expect(run.chain.map(\.name) == ["fold-1", "fold-2", "student"])
        }
    }

    /// Stopped in the first fold, in the second, and in the phase that uses them.
    @Test(arguments: [3, 7, 11]) func resumesToTheSameBytes(stop: Int) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe(
                Self.coTeaching, "model.dropout=0.1", "optimizer.learning-rate=0.1")
            #expect(try Tiny.differences(afterStop: stop, of: recipe, scratch) == [])
        }
    }

    /// Nothing is learnt in the folds: nothing is estimated.
    @Test func foldsThatLearntNothing() throws {
        let scratch = try Scratch()
        let recipe = try Tiny.recipe(
            Self.coTeaching, "optimizer={learning-rate: 1e-9, weight-decay: 0}")
        #expect(
            failure { try Tiny.run(recipe, scratch("run")).train() }
                == "method.forget-rate: label noise cannot be estimated: found networks that predict the "
                + "labels of samples they did not see no better than chance, expected networks that have "
                + "learnt something (more epochs, or name the rate)")
    }

    // MARK: Options

    @Test func refusals() throws {
        func said(_ rate: String) -> String {
            failure { try Tiny.recipe("method={name: co-teaching, forget-rate: \(rate)}") }
        }
        let place = "tiny, line 4, method.forget-rate"
        #expect(
            said("-0.1")
                == "\(place): value out of range: found -0.1, expected 0 <= forget-rate < 1")
        #expect(said(".nan").hasPrefix("\(place): value out of range: found nan"))
        #expect(said("atuo") == "\(place): unknown word \"atuo\" (did you mean \"auto\"?)")
        #expect(
            said("{estimate: anchors}").hasPrefix("\(place).estimate: unknown word \"anchors\""))
        #expect(said("{folds: 3}").hasPrefix("\(place): missing key \"estimate\""))
        #expect(
            said("{estimate: confident-joint, folds: 1}")
                == "\(place).folds: value out of range: found 1, expected 2 to 50")
        #expect(
            said("{estimate: confident-joint, parts: 3}").hasPrefix(
                "\(place).parts: unknown key \"parts\""))
        #expect(said("[0.1]").contains("wrong value: found a list"))
        let scratch = try Scratch()
        func transition(_ options: String, _ more: String = "") throws -> String {
            failure {
                try Tiny.run(
                    Tiny.recipe(
                        "method={name: adaptive-mixing, loss: {name: forward, transition: "
                            + "{\(options)}}\(more)}"), scratch("run"))
            }
        }
        let line = "tiny, line 4, method.loss.transition"
        #expect(
            try transition("estimate: confident-joint, folds: 99")
                == "\(line).folds: value out of range: found 99, expected 2 to 50")
        #expect(
            try transition("estimate: anchors, folds: 3").hasPrefix(
                "\(line).folds: unknown key \"folds\""))
        #expect(
            try transition(
                "estimate: anchors", ", extra-losses: [{name: forward, transition: \(Self.two)}]")
                == "method.extra-losses: value out of range: found anchors and confident-joint with 2 "
                + "folds, expected one way to estimate transition matrices, the same for all losses"
        )
    }

    /// More folds than samples is said before anything is written.
    @Test func foldsHaveToFitTheData() throws {
        let scratch = try Scratch()
        let recipe = try Tiny.recipe(
            "data={kind: embedded, limit: 100, validation: 0.6}",
            "method={name: co-teaching, forget-rate: {estimate: confident-joint, folds: 50}}")
        #expect(
            failure { try Tiny.run(recipe, scratch("run")) }.contains(
                "too few samples for so many folds: found 50 folds of"))
        #expect(!FileManager.default.fileExists(atPath: scratch("run")))
    }

    @Test func ratesRoundTrip() throws {
        for rate in ["0.3", "0", "auto", "injected", Self.two] {
            let first = try Tiny.recipe("method={name: co-teaching, forget-rate: \(rate)}")
            let again = try RecipeFile(text: first.yaml, file: "again").decoded(Recipe.self)
            #expect(again.method == first.method, "\(rate)")
        }
        let first = try Tiny.recipe(Self.forward)
        let again = try RecipeFile(text: first.yaml, file: "again").decoded(Recipe.self)
        #expect(again.method == first.method)
        #expect(
            try Tiny.recipe("method={name: co-teaching}").method
                == Tiny.recipe("method={name: co-teaching, forget-rate: auto}").method)
    }
}
