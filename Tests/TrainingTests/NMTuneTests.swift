import Diagnostics
import Distillation
import Foundation
import TestSupport
import Testing
import Torch

@testable import Training

/// NMTune in training; its terms by numbers are beside those of the losses.
@Suite(.serialized, .takesTurns) struct NMTuneTests {
    private static let model = "model={name: residual-mlp, hidden: [12]}"

    /// A table of features and the head in front of a linear classifier.
    private func table(_ method: String, _ scratch: Scratch, _ changes: String...) throws -> Recipe
    {
        var file = try RecipeFile(
            text: """
                data: {kind: gaussian-classes, samples: 200, classes: 3, features: 6, separation: 2}
                noise: {kind: symmetric, rate: 0.3}
                model: {name: residual-mlp}
                method: \(method)
                optimizer: {kind: adamw, learning-rate: 0.001}
                training: {epochs: 2, batch: 16, ema: 0, checkpoint-steps: 2}
                """, file: "table")
        for change in changes { file = try file.setting(change) }
        return try file.decoded(Recipe.self)
    }

    @Test func whatIsLogged() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                table("{name: nmtune}", scratch, "training.epochs=12"), scratch("run"))
            let result = try run.train().scores.phases[0]
            let epochs = run.store.metrics(run.chain[0])
            let (first, last) = (try #require(epochs.first), try #require(epochs.last))
            for name in ["cross-entropy", "consistency", "covariance", "dominance"] {
                #expect(first.terms[name] != nil, "\(name)")
            }
            #expect(first.metrics?["equal-singular-values"] == 0)
            #expect(try #require(last.terms["dominance"]) < 0)
            #expect(last.terms["cross-entropy"]! < first.terms["cross-entropy"]!)
            // Chance is a third.
            #expect(result.student.last.test.accuracy > 0.6)
        }
    }

    @Test func resumesToTheSameBytes() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try table("{name: nmtune, views: {noise: 0.4, drop: 0.1}}", scratch)
            #expect(try Tiny.differences(afterStop: 5, of: recipe, scratch) == [])
            // Images, of which the strong view is another picture.
            let images = try Tiny.recipe("method={name: nmtune, covariance: 0}", Self.model)
            #expect(try Tiny.differences(afterStop: 3, of: images, scratch) == [])
        }
    }

    @Test func refusals() throws {
        func said(_ options: String) -> String {
            failure { try Tiny.recipe("method={name: nmtune, \(options)}") }
        }
        #expect(
            said("consistency: -1")
                == "tiny, line 4, method.consistency: value out of range: found -1.0, expected 0 or "
                + "more")
        #expect(said("covariance: .inf").contains("method.covariance: value out of range"))
        #expect(said("dominance: -1e-9").contains("expected 0 or more"))
        #expect(said("directions: 0").contains("found 0, expected 1 to 1000"))
        #expect(said("direction: 3").contains("did you mean \"directions\"?"))
        let scratch = try Scratch()
        #expect(
            failure {
                _ = try Tiny.run(Tiny.recipe("method={name: nmtune}"), scratch("run")).train()
            }.contains(
                "model.name: nmtune needs a network whose features are as wide as its inputs: found "
                    + "mlp: 16 for 784 inputs, expected residual-mlp"))
        // Texts are no features of a frozen network.
        let texts = try RobustData.texts.recipe("{name: nmtune}", scratch)
        #expect(
            failure { _ = try Tiny.run(texts, scratch("texts")).train() }
                .contains("expected residual-mlp"))
    }

    @Test func optionsAreInTheKey() throws {
        func key(_ options: String) throws -> String {
            try Tiny.recipe("method={name: nmtune\(options)}", Self.model)
                .phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }[0].key
        }
        #expect(
            try key("")
                == key(", consistency: 1, covariance: 0.04, dominance: 0.001, directions: 5"))
        let others = [
            ", consistency: 2", ", covariance: 1", ", dominance: 1", ", directions: 2",
            ", views: {padding: 1}",
        ]
        #expect(Set(try ([""] + others).map(key)).count == 6)
    }

    @Test func theExampleIsRead() throws {
        let recipe = try RecipeFile(path: Tiny.example("nmtune.yaml")).decoded(Recipe.self)
        #expect(recipe.method.base is NMTune && recipe.model.name == "residual-mlp")
        #expect(try RecipeFile(text: recipe.yaml, file: "again").decoded(Recipe.self) == recipe)
    }
}
