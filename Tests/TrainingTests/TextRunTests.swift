import Datasets
import Files
import Foundation
import TestSupport
import Testing
import Torch

@testable import Training

/// Runs on texts: one data set for networks that look at it in different ways.
@Suite(.takesTurns) struct TextRunTests {
    /// 60 texts; "fine" or "poor" decides, every fifth given label is wrong, two texts are empty.
    private static let table: String = {
        let rows = (0..<60).map { i in
            let good = i % 2 == 0
            let text =
                i < 2 ? "" : "No. \(i / 2): \(good ? "fine" : "poor"), \"\"truly\"\" \u{1f600}"
            let given = i % 5 == 0 ? !good : good
            return "\"\(text)\",\(given ? "up" : "down"),\(good ? "up" : "down"),\(i)"
        }
        return (["review,given,truth,number"] + rows).joined(separator: "\n") + "\n"
    }()

    private func recipe(_ scratch: Scratch, _ changes: String...) throws -> Recipe {
        let path = scratch("t.csv")
        try LocalFileSystem().write(Array(Self.table.utf8), to: path)
        var file = try RecipeFile(
            text: """
                data: {kind: text, path: \(path), text: review, label: given, clean: truth, validation: 0.2}
                model: {name: fasttext, buckets: 500, width: 0.25}
                method: {name: cross-entropy}
                optimizer: {kind: adamw, learning-rate: 0.02}
                training: {epochs: 6, batch: 16, ema: 0}
                """, file: "text")
        for change in changes { file = try file.setting(change) }
        return try file.decoded(Recipe.self)
    }

    private func run(_ recipe: Recipe, _ folder: String) throws -> Run {
        try Run(recipe, folder: folder, compute: Tiny.compute, dataFiles: DataFiles())
    }

    @Test func preparation() throws {
        let scratch = try Scratch()
        let options = try recipe(scratch).data
        let source = try #require(options.source as? TextSource)
        #expect(source.length == 1024 && source.quotes)
        let data = try PreparedData(options, noise: LabelNoise(.clean), seed: 1)
        #expect(data.sampleShape == [1, 1024] && data.classCount == 2)
        #expect(data.knowsClean && data.warnings.contains("2 texts are empty"))
        // The two empty texts are on one side of the split.
        #expect(
            [data.split.train, data.split.validation, data.split.test].contains {
                Set([0, 1]).isSubset(of: $0)
            })
        #expect(data.noise.realisedRate! > 0.1 && data.noise.realisedRate! < 0.3)
        // Injected noise starts from the clean labels and reaches training and validation only.
        let noisy = try PreparedData(options, noise: LabelNoise(.symmetric, rate: 0.4), seed: 1)
        let members = noisy.split.train + noisy.split.validation
        let wrong = members.count { noisy.learning.labels[$0] != noisy.learning.clean?[$0] }
        #expect(noisy.noise.realisedRate == Double(wrong) / Double(members.count))
        #expect(noisy.split.test.allSatisfy { noisy.test.labels[$0] == noisy.learning.clean?[$0] })
        #expect(noisy.sha256 == data.sha256 && noisy.identity != data.identity)
        #expect(
            failure { try PreparedData(options, noise: LabelNoise(.instance, rate: 0.2), seed: 1) }
                == "noise.kind: noise of kind instance needs images or a table of numbers: found text"
        )
    }

    @Test func aTestFileOfItsOwn() throws {
        let scratch = try Scratch()
        let path = scratch("test.csv")
        try LocalFileSystem().write(
            Array(
                "given,review,truth\nup,\"No. 5: fine, \"\"truly\"\" \u{1f600}\",up\ndown,new,up\n"
                    .utf8),
            to: path)
        let options = try recipe(scratch, "data.test-path=\(path)").data
        let data = try PreparedData(options, noise: LabelNoise(.clean), seed: 1)
        #expect(data.testMembers == [0, 1])
        #expect(data.test.labels == [1, 1], "scored against the truth")
        #expect(data.warnings.contains { $0.hasPrefix("1 test samples are also training samples") })
    }

    /// Each network learns the rule from the same data; the saved one says the same again.
    @Test(arguments: [
        ["model.buckets=500"],
        ["model={name: charcnn, width: 0.05, dropout: 0}", "training.epochs=20"],
        [
            "data.length=130", "model={name: charcnn, width: 0.05, dropout: 0}",
            "training.epochs=20",
        ],
    ])
    func learns(_ changes: [String]) throws {
        try withNoLeaks { () throws in
            let scratch = try Scratch()
            var recipe = try recipe(scratch)
            for change in changes {
                recipe = try RecipeFile(text: try text(of: recipe), file: "r").setting(change)
                    .decoded(Recipe.self)
            }
            let run = try run(recipe, scratch("run"))
            let result = try run.train()
            let test = try #require(result.scores.phases.last).student.selected.test
            #expect(test.accuracy >= 0.8, "\(test.accuracy)")
            let saved = try SavedModel(path: scratch("run"))
            #expect(saved.card.sampleShape == [1, recipe.data.source.textLength!])
            #expect(saved.card.columns == ["review"])
            let again = try saved.evaluate(run.data.test, members: run.data.testMembers)
            #expect(again == test)
            #expect(
                failure { try saved.fitted(Dataset.embedded(.test)) }.hasPrefix(
                    "Fashion-MNIST 5k, test: the samples do not fit the network"))
            // Resolved recipes come back as they were.
            #expect(try RecipeFile(path: scratch("run/recipe.yaml")).decoded(Recipe.self) == recipe)
        }
    }

    private func text(of recipe: Recipe) throws -> String {
        String(decoding: try JSONEncoder().encode(recipe), as: UTF8.self)
    }

    /// Teacher and student of different kinds share every batch.
    @Test func mixedPair() throws {
        try withNoLeaks { () throws in
            let scratch = try Scratch()
            let recipe = try recipe(
                scratch,
                "method={name: distillation, teacher: {model: {name: charcnn, width: 0.05}}}")
            let run = try run(recipe, scratch("run"))
            let result = try run.train()
            #expect(result.scores.phases.count == 2)
            #expect(
                result.scores.phases[1].value("teacher-accuracy")
                    == result.scores.phases[0].student.selected.test.accuracy)
        }
    }

    /// Two peers that look at the same texts in two ways teach one another.
    @Test func mutualPeersOfTwoKinds() throws {
        try withNoLeaks { () throws in
            let scratch = try Scratch()
            let recipe = try recipe(
                scratch, "training.epochs=2",
                "method={name: mutual, peers: [{}, {model: {name: charcnn, width: 0.05}}]}")
            let result = try run(recipe, scratch("run")).train()
            #expect(result.scores.phases.count == 1)
        }
    }

    /// Seen before any file is read.
    @Test(arguments: [
        (
            ["model={name: resnet8}"],
            "text, line 2, model.name: the model resnet8 does not take text: found samples of shape "
                + "[1, 1024] (fasttext and charcnn do)"
        ),
        (
            ["model={name: mlp}"],
            "text, line 2, model.name: the model mlp does not take text: found samples of shape "
                + "[1, 1024] (fasttext and charcnn do)"
        ),
        (
            ["data={kind: embedded}"],
            "text, line 2, model.name: the model fasttext needs text: found samples of shape "
                + "[3, 32, 32], expected data of kind text"
        ),
        (
            ["data.length=100", "model={name: charcnn}"],
            "text, line 2, model.name: the texts are cut too short for the model charcnn: found 100 "
                + "characters, expected at least 123 (make data.length larger)"
        ),
        (
            ["data.length=8"],
            "text, line 1, data.length: value out of range: found 8, expected 16 to 16384"
        ),
        (
            ["data={kind: csv, path: a.csv, text: t}"],
            "text, data.text: key does not go with data.kind: found kind csv"
        ),
        (
            ["data={kind: text, path: a.csv, drop: [t]}"],
            "text, data.drop: key does not go with data.kind: found kind text"
        ),
        (["data={kind: text}"], "text, data: missing key \"data.path\""),
    ])
    func refusals(_ changes: [String], _ sentence: String) throws {
        let scratch = try Scratch()
        let said = failure {
            var file = try RecipeFile(
                text: """
                    data: {kind: text, path: \(scratch("no.csv"))}
                    model: {name: fasttext}
                    method: {name: cross-entropy}
                    """, file: "text")
            for change in changes { file = try file.setting(change) }
            return try file.decoded(Recipe.self)
        }
        // Where a value was set from outside the file there is no line to name.
        let line = /, line \d+/
        #expect(said.replacing(line, with: "") == sentence.replacing(line, with: ""))
    }
}
