import Diagnostics
import Foundation
import Models
import SafeTensors
import TestSupport
import Testing
import Torch

@testable import Training

/// PES: which parts are drawn anew, which samples are confident, and all of it in training.
@Suite(.serialized, .takesTurns) struct PESTests {
    private static let method = "{name: pes, warm-up: 1, block-epochs: 1, classifier-epochs: 1}"

    private func recipe(_ method: String = PESTests.method, _ changes: String...) throws -> Recipe {
        var file = try RecipeFile(text: Tiny.text, file: "tiny")
        for change in ["method=\(method)", "training.epochs=3", "model.hidden=[16, 12]"] + changes {
            file = try file.setting(change)
        }
        return try file.decoded(Recipe.self)
    }

    // MARK: Formulas

    @Test func weightsByNumbers() throws {
        #expect(inverseFrequencies(labels: [0, 0, 0, 2], classes: 3) == [4 / 9.0, 0, 4 / 3.0])
        try withNoLeaks {
            // (1·1 + 3·2)/4, whatever the size of the batch.
            let own = weightedLosses(Tensor([1.0, 2], [2]), weights: Tensor([1.0, 3], [2]))
            #expect(own.mean().item == 1.75)
            #expect(weightedLosses(Tensor([1.0], [1]), weights: .zeros([1])).mean().item == 0)
        }
    }

    @Test func lastPartsOfNetworks() throws {
        try withNoLeaks {
            func parts(_ model: String, _ shape: [Int], _ blocks: Int) throws -> Set<String> {
                let spec = try RecipeFile(
                    text: "data: {kind: embedded}\nmodel: \(model)\nmethod: {name: cross-entropy}",
                    file: "m"
                ).decoded(Recipe.self).model
                let network = try ModelRegistry.make(
                    spec, sampleShape: shape, classes: 10, seed: 0)
                return lastParts(of: network, blocks: blocks)
            }
            let mlp = "{name: mlp, hidden: [8, 6]}"
            #expect(
                try parts(mlp, [1, 28, 28], 0).sorted() == ["layers.2.bias", "layers.2.weight"])
            #expect(
                try parts(mlp, [1, 28, 28], 1).sorted() == [
                    "layers.1.bias", "layers.1.weight", "layers.2.bias", "layers.2.weight",
                ])
            #expect(
                try parts("{name: lenet5}", [1, 28, 28], 1).sorted() == [
                    "fc2.bias", "fc2.weight", "fc3.bias", "fc3.weight",
                ])
            let resnet = try parts("{name: resnet20, width: 0.1}", [3, 32, 32], 1)
            #expect(resnet.contains("fc.weight") && resnet.contains("layer3.2.conv2.weight"))
            #expect(resnet.contains("layer3.2.bn1.running_mean"))
            #expect(resnet.allSatisfy { $0.hasPrefix("fc.") || $0.hasPrefix("layer3.2.") })
        }
    }

    // MARK: In training

    /// The weights that a refining phase holds fixed are those of the phase before.
    @Test func onlyTheLastPartsAreTrained() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(recipe(), scratch("run"))
            _ = try run.train()
            #expect(run.chain.map(\.name) == ["start", "refined-1", "refined-2", "student"])
            #expect(run.chain.map(\.training.epochs) == [1, 1, 1, 2])
            func changed(_ a: String, _ b: String) throws -> [String] {
                let one = try SafeTensorsFile(path: scratch("run/phases/\(a)/last.safetensors"))
                let two = try SafeTensorsFile(path: scratch("run/phases/\(b)/last.safetensors"))
                return try one.tensors.map(\.name).filter {
                    try one.bytes(of: $0) != two.bytes(of: $0)
                }.sorted()
            }
            #expect(
                try changed("0-start", "1-refined-1") == [
                    "layers.1.bias", "layers.1.weight", "layers.2.bias", "layers.2.weight",
                ])
            #expect(
                try changed("1-refined-1", "2-refined-2") == ["layers.2.bias", "layers.2.weight"])
            #expect(try changed("2-refined-2", "3-student").count == 6)
        }
    }

    @Test func confidentSamples() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                recipe(Self.method, "training.epochs=9", "optimizer.learning-rate=0.1"),
                scratch("run"))
            let result = try run.train().scores.phases[3]
            let section = try #require(result.sections.first)
            #expect(section.values.map(\.key) == ["confident", "label-precision"])
            let share = try #require(section.values[0].value)
            #expect(share > 0 && share < 1)
            let lines = try String(
                contentsOfFile: scratch("run/phases/3-student/columns.csv"), encoding: .utf8
            ).split(separator: "\n")
            #expect(lines[0] == "student.confident")
            let rows = lines.dropFirst().compactMap { Int($0) }
            #expect(abs(Double(rows.reduce(0, +)) / Double(rows.count) - share) < 1e-12)
            // An epoch takes its confident samples only.
            let epochs = run.store.metrics(run.chain[3])
            #expect(epochs.last?.metrics?["confident"] == share)
        }
    }

    @Test func phasesCanBeLeftOut() throws {
        func phases(_ options: String) throws -> [PhaseSpec] {
            try Tiny.recipe("training.epochs=40", "method={name: pes\(options)}")
                .phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }
        }
        #expect(try phases("").map(\.training.epochs) == [25, 7, 5, 15])
        #expect(
            try phases(", block-epochs: 0").map(\.name) == ["start", "refined-2", "student"])
        #expect(
            try phases(", block-epochs: 0, classifier-epochs: 0").map(\.name) == [
                "start", "student",
            ])
        let others = [
            ", warm-up: 5", ", block-epochs: 2", ", classifier-epochs: 2",
            ", refine-learning-rate: 0.1", ", views: {padding: 3}",
        ]
        #expect(Set(try ([""] + others).map { try phases($0).last!.key }).count == 6)
    }

    /// Stopped in every phase; three steps an epoch, fewer in the last one's.
    @Test(arguments: [2, 4, 8, 10, 11]) func resumesToTheSameBytes(_ stop: Int) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try recipe(Self.method, "model.dropout=0.2")
            #expect(try Tiny.differences(afterStop: stop, of: recipe, scratch) == [])
        }
    }

    @Test func otherRandomNumbersEndInOtherBytes() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try recipe(Self.method, "model.dropout=0.2")
            #expect(
                try Tiny.differences(
                    afterStop: 10, of: recipe, scratch, droppingRandomState: true
                ).contains("phases/3-student/last.safetensors"))
        }
    }

    @Test(arguments: RobustData.allCases) func otherData(_ data: RobustData) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try data.recipe(Self.method, scratch)
            let run = try Tiny.run(recipe, scratch("run"))
            #expect(try run.train().scores.phases.count == 4)
        }
    }

    @Test func refusals() throws {
        func said(_ options: String) -> String {
            failure { try Tiny.recipe("method={name: pes, \(options)}") }
        }
        #expect(
            said("warm-up: 2").hasSuffix(
                "method.warm-up: value out of range: found 2, expected fewer than the 2 epochs of "
                    + "training"))
        #expect(
            said("warm-up: 1, block-epochs: -1")
                == "tiny, line 4, method.block-epochs: value out of range: found -1, expected 0 to "
                + "100000")
        #expect(said("warm-up: 1, refine-learning-rate: 0").contains("expected above 0"))
    }

    @Test func theExampleIsRead() throws {
        let recipe = try RecipeFile(path: Tiny.example("pes.yaml")).decoded(Recipe.self)
        #expect(recipe.method.base is PES)
        #expect(try RecipeFile(text: recipe.yaml, file: "again").decoded(Recipe.self) == recipe)
    }
}
