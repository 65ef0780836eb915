import Diagnostics
import Foundation
import TestSupport
import Testing
import Torch

@testable import Training

/// LEND in training; its diluted labels by numbers are beside the losses.
@Suite(.serialized, .takesTurns) struct LENDTests {
    private func recipe(_ options: String = "", _ changes: String...) throws -> Recipe {
        var file = try RecipeFile(text: Tiny.text, file: "tiny")
        let method = "method={name: lend, warm-up: 1, neighbours: 5, every: 2\(options)}"
        for change in [method, "training.epochs=4", "optimizer.learning-rate=0.1"] + changes {
            file = try file.setting(change)
        }
        return try file.decoded(Recipe.self)
    }

    @Test func whatIsShown() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(recipe(), scratch("run"))
            let result = try run.train().scores.phases[0]
            let epochs = run.store.metrics(run.chain[0])
            let trusted = epochs.map { $0.metrics?["trusted"] }
            #expect(trusted[0] == nil && epochs[0].metrics?["given-cross-entropy"] == nil)
            // Diluted before the second and the fourth epoch.
            #expect(trusted[1] != nil && trusted[1] == trusted[2])
            #expect(epochs[1].metrics?["given-cross-entropy"] != nil)
            #expect(epochs.allSatisfy { $0.terms.keys.sorted() == ["cross-entropy"] })
            #expect(epochs.map(\.step) == [3, 6, 9, 12])
            let section = try #require(result.sections.first)
            #expect(section.title == "Diluted labels (LEND, reconstruction)")
            #expect(
                section.values.map(\.key) == [
                    "trusted", "label-precision", "right-suggestions", "wrong-label-auc",
                ])
            let share = try #require(section.values[0].value)
            #expect(share > 0 && share < 1 && share == trusted[3])
            let lines = try String(
                contentsOfFile: scratch("run/phases/0-student/columns.csv"), encoding: .utf8
            ).split(separator: "\n")
            #expect(
                lines[0]
                    == "student.loss,student.suggested,student.trusted,student.share-of-given")
            let rows = lines.dropFirst().map { $0.split(separator: ",") }
            let given = run.data.split.train.map { "\(run.data.learning.labels[$0])" }
            #expect(rows.count == 170)
            for (row, label) in zip(rows, given) {
                #expect((row[1] == label) == (row[2] == "1"))
                #expect((0...1.000001).contains(try #require(Double(row[3]))))
                #expect(try #require(Double(row[0])) > 0)
            }
            let kept = Double(rows.count { $0[2] == "1" }) / 170
            #expect(abs(kept - share) < 1e-12)
        }
    }

    /// With trusted labels alone, an epoch has their steps.
    @Test func trustedLabelsAlone() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(recipe(", labels: trusted"), scratch("run"))
            _ = try run.train()
            let epochs = run.store.metrics(run.chain[0])
            for (i, epoch) in epochs.enumerated().dropFirst() {
                let share = try #require(epoch.metrics?["trusted"])
                let steps = (Int((share * 170).rounded()) + 63) / 64
                #expect(share < 1 && epoch.step == 3 * i + steps)
                #expect(epoch.metrics?["given-cross-entropy"] == nil)
            }
        }
    }

    /// Until labels are diluted it is cross-entropy, to the last bit.
    @Test func theWarmUpIsCrossEntropy() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            func first(_ method: String) throws -> EpochMetrics {
                let run = try Tiny.run(
                    Tiny.recipe("method=\(method)"), scratch("run-\(UUID())"))
                _ = try run.train()
                return run.store.metrics(run.chain[0])[0]
            }
            let (own, plain) = (
                try first("{name: lend, warm-up: 1}"), try first("{name: cross-entropy}")
            )
            #expect(own.terms["cross-entropy"] == plain.terms["cross-entropy"])
        }
    }

    /// Stopped in the warm-up, where labels are diluted, and inside the epochs after.
    @Test(arguments: ["", ", labels: trusted"]) func resumesToTheSameBytes(_ options: String) throws
    {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try recipe(options, "model.dropout=0.2")
            for stop in [2, 3, 4] {
                #expect(try Tiny.differences(afterStop: stop, of: recipe, scratch) == [])
            }
            #expect(
                try Tiny.differences(
                    afterStop: 4, of: recipe, scratch, droppingRandomState: true
                ).contains("phases/0-student/last.safetensors"))
        }
    }

    @Test(arguments: RobustData.allCases) func otherData(_ data: RobustData) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try data.recipe("{name: lend, warm-up: 1}", scratch)
            #expect(
                try Tiny.differences(afterStop: data == .table ? 13 : 7, of: recipe, scratch) == [])
        }
    }

    @Test func refusals() throws {
        func said(_ options: String) -> String {
            failure { try Tiny.recipe("method={name: lend, \(options)}").checked(as: "tiny") }
        }
        #expect(
            said("neighbours: 0")
                == "tiny, line 4, method.neighbours: value out of range: found 0, expected 1 to 1000"
        )
        #expect(said("every: 0").contains("expected 1 to 100000"))
        #expect(said("warm-up: 0").contains("expected 1 to 100000"))
        #expect(
            said("warm-up: 2").hasSuffix(
                "method.warm-up: value out of range: found 2, expected fewer than the 2 epochs of "
                    + "training"))
        #expect(said("labels: clean").contains("labels"))
        #expect(said("warm-up: 1, neighbors: 3").contains("did you mean \"neighbours\"?"))
    }

    @Test func optionsAreInTheKey() throws {
        func key(_ options: String) throws -> String {
            try Tiny.recipe("training.epochs=40", "method={name: lend\(options)}")
                .phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }[0].key
        }
        #expect(
            try key("") == key(", warm-up: 10, neighbours: 10, every: 10, labels: diluted"))
        let others = [", warm-up: 5", ", neighbours: 20", ", every: 1", ", labels: trusted"]
        #expect(Set(try ([""] + others).map(key)).count == 5)
    }

    @Test func theExampleIsRead() throws {
        let recipe = try RecipeFile(path: Tiny.example("lend.yaml")).decoded(Recipe.self)
        #expect(recipe.method.base is LEND)
        #expect(try RecipeFile(text: recipe.yaml, file: "again").decoded(Recipe.self) == recipe)
    }
}
