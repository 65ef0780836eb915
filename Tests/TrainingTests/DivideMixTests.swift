import Diagnostics
import Foundation
import Synchronization
import TestSupport
import Testing
import Torch

@testable import Training

/// DivideMix in training; its formulas by numbers are beside those of the losses.
@Suite(.serialized, .takesTurns) struct DivideMixTests {
    private static let method = "{name: dividemix, warm-up: 2, ramp: 1}"

    private func recipe(_ method: String = DivideMixTests.method, _ more: String...) throws
        -> Recipe
    {
        var file = try RecipeFile(text: Tiny.text, file: "tiny")
        let changes =
            [
                "method=\(method)", "training.epochs=4", "model.dropout=0.2",
                "training.checkpoint-steps=3",
            ]
            + more
        for change in changes { file = try file.setting(change) }
        return try file.decoded(Recipe.self)
    }

    /// In the warm-up both networks see every sample, one network after the other; later each sees those that
    /// the other one trusts.
    @Test func sharesOfAnEpoch() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(recipe(), scratch("run"))
            let result = try run.train().scores.phases[0]
            let epochs = run.store.metrics(run.chain[0])
            #expect(epochs.count == 4)
            // 170 samples are three batches for each network.
            #expect(epochs.map(\.step).prefix(2) == [6, 12])
            #expect(epochs[1].terms.keys.sorted() == ["cross-entropy"])
            #expect(epochs[3].terms["cross-entropy"] != nil && epochs[3].terms["prior"] != nil)
            let metrics = try #require(epochs[3].metrics)
            let labelled = try ["peer-1", "peer-2"].map { try #require(metrics["labelled.\($0)"]) }
            #expect(labelled.allSatisfy { $0 > 0 && $0 <= 1 })
            let steps = labelled.map { (Int(($0 * 170).rounded()) + 63) / 64 }
            #expect(epochs[3].step == 18 + steps[0] + steps[1])
            #expect(epochs[1].metrics?["labelled.peer-1"] == nil)
            // Of the mean of both networks.
            #expect(result.peers?.each.count == 2)
        }
    }

    @Test func whatTheSplitSays() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(recipe(), scratch("run"))
            let result = try run.train().scores.phases[0]
            let section = try #require(result.sections.first)
            #expect(
                section.values.map(\.key)
                    == [1, 2].flatMap { k in
                        ["labelled", "label-precision", "wrong-label-auc"].map { "\($0).peer-\(k)" }
                    })
            #expect(section.values.allSatisfy { $0.value != nil })
            let lines = try String(
                contentsOfFile: scratch("run/phases/0-peers/columns.csv"), encoding: .utf8
            ).split(separator: "\n")
            #expect(
                lines[0]
                    == "peers.clean-by-peer-1,peers.clean-by-peer-2,peers.suggested-by-peer-1,"
                    + "peers.suggested-by-peer-2")
            let rows = lines.dropFirst().map { $0.split(separator: ",") }
            #expect(rows.count == run.data.split.train.count)
            let p = rows.compactMap { Double($0[1]) }
            #expect(p.allSatisfy { (0...1).contains($0) })
            // Network 1 learns what network 2 trusts.
            let trusted = Double(p.count { $0 > 0.5 }) / Double(p.count)
            #expect(abs(trusted - (section.values[0].value ?? 0)) < 1e-12)
            #expect(rows.compactMap { Int($0[2]) }.allSatisfy { (0..<10).contains($0) })
        }
    }

    /// Stopped in the warm-up, in either network's steps of a divided epoch, and at an epoch's end.
    @Test(arguments: [4, 13, 15, 16]) func resumesToTheSameBytes(_ stop: Int) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try recipe("{name: dividemix, warm-up: 2, ramp: 1, loss-memory: 2}")
            #expect(try Tiny.differences(afterStop: stop, of: recipe, scratch) == [])
        }
    }

    @Test func otherRandomNumbersEndInOtherBytes() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            #expect(
                try Tiny.differences(
                    afterStop: 5, of: recipe(), scratch, droppingRandomState: true
                ).contains("phases/0-peers/last.safetensors"))
        }
    }

    /// On a table and on texts; every option that changes the step, resumed too.
    @Test(
        arguments: RobustData.allCases,
        ["", ", compat: true", ", confidence-penalty: true, split: {per-class: true}"])
    func otherData(_ data: RobustData, _ options: String) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try data.recipe(
                "{name: dividemix, warm-up: 1, ramp: 1\(options)}", scratch)
            let run = try Tiny.run(recipe, scratch("run"))
            let result = try run.train().scores.phases[0]
            #expect(result.peers?.each.count == 2)
            #expect(
                try Tiny.differences(afterStop: data == .table ? 19 : 9, of: recipe, scratch) == [])
        }
    }

    /// Networks with batch norms: guessing leaves their statistics alone, unless the published code is asked for.
    @Test func guessingHasNoSideEffects() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            func counted(_ options: String) throws -> Double {
                let recipe = try recipe(
                    "{name: dividemix, warm-up: 1, ramp: 1\(options)}",
                    "model={name: resnet8, width: 0.1}", "training.epochs=2", "training.ema=0")
                let run = try Tiny.run(recipe, scratch("run-\(UUID())"))
                let trainer = try PhaseTrainer(
                    run.chain[0], data: run.data, folder: scratch("phase-\(UUID())"),
                    environment: .init()
                ) { _ in preconditionFailure("no earlier phase") }
                try trainer.prepare()
                let result = try trainer.run()
                let batches = try #require(
                    trainer.learners[0].network.state.first {
                        $0.name.hasSuffix("num_batches_tracked")
                    }
                ).tensor.item
                // One forward pass a step.
                let metrics = try #require(result.sections.first)
                let labelled = try #require(
                    metrics.values.first { $0.key == "labelled.peer-1" }?.value)
                let steps = 3 + (Int((labelled * 170).rounded()) + 63) / 64
                return batches - Double(steps)
            }
            #expect(try counted("") == 0)
            #expect(try counted(", compat: true") > 0)
        }
    }

    /// A split that trusts nothing: the run goes on with all labels, then with the last split, and says so.
    @Test func aSplitThatFailsStopsNothing() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try recipe(
                "{name: dividemix, warm-up: 1, ramp: 1, split: {threshold: 0.9999999, monotone: false}}",
                "training.epochs=3")
            let notes = Mutex<[String]>([])
            var environment = TrainingEnvironment()
            environment.observe = { event in
                if case .note(_, let text?) = event { notes.withLock { $0.append(text) } }
            }
            let run = try Tiny.run(recipe, scratch("run"), environment)
            let section = try #require(try run.train().scores.phases[0].sections.first)
            let said = notes.withLock { $0 }
            for peer in ["peer-1", "peer-2"] {
                #expect(
                    said.filter { $0.hasPrefix(peer) } == [
                        "\(peer): 0 samples would be selected: all labels count as right",
                        "\(peer): 0 samples would be selected: the last split is kept",
                    ])
                #expect(section.values.first { $0.key == "labelled.\(peer)" }?.value == 1)
            }
        }
    }

    @Test func refusals() throws {
        func said(_ options: String) -> String {
            failure { try Tiny.recipe("method={name: dividemix, \(options)}").checked(as: "tiny") }
        }
        #expect(
            said("warm-up: 0")
                == "tiny, line 4, method.warm-up: value out of range: found 0, expected 1 to 100000"
        )
        #expect(
            said("warm-up: 2").hasSuffix(
                "method.warm-up: value out of range: found 2, expected fewer than the 2 epochs of "
                    + "training"))
        #expect(
            said("temperature: 0")
                == "tiny, line 4, method.temperature: value out of range: found 0.0, expected above 0 "
                + "and at most 1")
        #expect(
            said("unlabelled-weight: -1")
                == "tiny, line 4, method.unlabelled-weight: value out of range: found -1.0, expected "
                + "0 or more")
        #expect(
            said("split: {threshold: 1}")
                == "tiny, line 4, method.split.threshold: value out of range: found 1.0, expected "
                + "0 <= threshold < 1")
        #expect(said("peers: 3").contains("expected 2 peers"))
        #expect(said("noise-per-peer: true").contains("method.noise-per-peer"))
        #expect(
            said("warm-up: 1, unlabeled-weight: 1").contains("did you mean \"unlabelled-weight\"?"))
    }

    @Test func optionsAreInTheKey() throws {
        func key(_ options: String) throws -> String {
            try Tiny.recipe("training.epochs=40", "method={name: dividemix\(options)}")
                .phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }[0].key
        }
        #expect(
            try key("")
                == key(", warm-up: 10, unlabelled-weight: 25, ramp: 16, temperature: 0.5, alpha: 4")
        )
        let others = [
            ", warm-up: 5", ", unlabelled-weight: 0", ", ramp: 5", ", temperature: 1", ", alpha: 1",
            ", loss-memory: 5", ", split: {per-class: true}", ", views: {noise: 0.2}",
            ", compat: true", ", confidence-penalty: true",
        ]
        #expect(Set(try ([""] + others).map(key)).count == 11)
    }

    @Test func theExampleIsRead() throws {
        let recipe = try RecipeFile(path: Tiny.example("dividemix.yaml")).decoded(Recipe.self)
        #expect(recipe.method.base is DivideMix)
        #expect(try RecipeFile(text: recipe.yaml, file: "again").decoded(Recipe.self) == recipe)
    }
}
