import Diagnostics
import Foundation
import TestSupport
import Testing
import Torch

@testable import Training

/// JoCoR in training; its formulas by numbers are beside those of the losses.
@Suite(.serialized, .takesTurns) struct JoCoRTests {
    /// Without weight on agreement and without forgetting the networks are independent; with it they agree more.
    @Test func agreementIsWhatTheyShare() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            func train(
                _ method: String, _ name: String
            ) throws -> (PhaseResult.Peers, disagreement: Double?) {
                let run = try Tiny.run(
                    Tiny.recipe("model.dropout=0.2", "method=\(method)"), scratch(name))
                let peers = try #require(try run.train().scores.phases[0].peers)
                return (peers, run.store.metrics(run.chain[0]).last?.terms["disagreement"])
            }
            let alone = try train("{name: mutual, weight: 0}", "alone").0
            let both = try train("{name: jocor, lambda: 0, forget-rate: 0}", "both")
            // The other network's cross-entropy is added as a constant: the gradients are the same numbers.
            #expect(alone.each.map(\.own.last.test) == both.0.each.map(\.own.last.test))
            let pulled = try train("{name: jocor, lambda: 0.9, forget-rate: 0}", "pulled")
            let (free, held) = (try #require(both.disagreement), try #require(pulled.disagreement))
            #expect(held < free)
        }
    }

    @Test func whatTheSelectionSays() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                Tiny.recipe(
                    "method={name: jocor, forget-rate: injected, ramp: 1}", "training.batch=85"),
                scratch("run"))
            let result = try run.train().scores.phases[0]
            let section = try #require(result.sections.first)
            #expect(section.title == "JoCoR")
            #expect(section.values.map(\.key) == ["label-precision", "wrong-label-auc"])
            #expect(section.values.allSatisfy { $0.value != nil })
            let epochs = run.store.metrics(run.chain[0])
            for learner in try #require(epochs[1].learners) {
                #expect(learner.metrics?["label-precision"] == section.values[0].value)
                // 59 of 85 samples.
                #expect(abs((learner.metrics?["forgotten"] ?? 0) - 26 / 85.0) < 1e-12)
            }
            let lines = try String(
                contentsOfFile: scratch("run/phases/0-peers/columns.csv"), encoding: .utf8
            ).split(separator: "\n")
            #expect(lines[0] == "peers.selected")
            let times = lines.dropFirst().compactMap { Int($0) }
            // All of the first epoch, and of the second what R leaves.
            #expect(times.reduce(0, +) == 170 + 2 * 59 && times.min() == 1)
        }
    }

    @Test func resumesToTheSameBytes() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe(
                "method={name: jocor, forget-rate: injected, ramp: 1, peers: [{}, {optimizer: {kind: adam}}]}",
                "model.dropout=0.2")
            #expect(try Tiny.differences(afterStop: 5, of: recipe, scratch) == [])
            #expect(
                try Tiny.differences(
                    afterStop: 5, of: recipe, scratch, droppingRandomState: true
                ).contains("phases/0-peers/last.safetensors"))
        }
    }

    /// On a table and on texts, for one epoch.
    @Test(arguments: RobustData.allCases) func otherData(_ data: RobustData) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                data.recipe("{name: jocor, forget-rate: injected, ramp: 1}", scratch),
                scratch("run"))
            #expect(try run.train().scores.phases[0].peers?.each.count == 2)
        }
    }

    @Test func refusals() throws {
        func said(_ options: String) -> String {
            failure { try Tiny.recipe("method={name: jocor, \(options)}") }
        }
        #expect(
            said("lambda: 1")
                == "tiny, line 4, method.lambda: value out of range: found 1.0, "
                + "expected 0 <= lambda < 1")
        #expect(
            said("peers: 3")
                == "tiny, line 4, method.peers: value out of range: found 3, expected 2 peers")
        #expect(
            said("noise-per-peer: true")
                == "tiny, line 4, method.noise-per-peer: value out of range: found true, expected "
                + "false: both networks have the same labels")
        #expect(said("forget-rate: 1").hasPrefix("tiny, line 4, method.forget-rate: value out of"))
        let scratch = try Scratch()
        let unknown = try Tiny.recipe(
            "method={name: jocor, forget-rate: injected}", "noise={kind: none}")
        #expect(
            failure { try Tiny.run(unknown, scratch("run")) }
                .hasPrefix("method.forget-rate: the noise rate is not known"))
    }

    @Test func optionsAreInTheKey() throws {
        func key(_ options: String) throws -> String {
            try Tiny.recipe("method={name: jocor\(options)}")
                .phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }.last!.key
        }
        #expect(try key("") == key(", lambda: 0.9, ramp: 10, exponent: 1, compat: false, peers: 2"))
        let others = [", lambda: 0.1", ", ramp: 5", ", compat: true", ", forget-rate: 0.3"]
        #expect(Set(try ([""] + others).map(key)).count == 5)
    }

    @Test func theExampleIsRead() throws {
        let recipe = try RecipeFile(path: Tiny.example("jocor.yaml")).decoded(Recipe.self)
        #expect(recipe.method.base is JoCoR)
        #expect(try RecipeFile(text: recipe.yaml, file: "again").decoded(Recipe.self) == recipe)
    }
}
