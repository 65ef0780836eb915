import Datasets
import Diagnostics
import Files
import Foundation
import Models
import Neural
import SafeTensors
import TestSupport
import Testing
import Torch

@testable import Training

/// Numbers that are not finite outside the loss, and batches that a batch norm cannot learn from: one line
/// with phase, epoch and step, never a trap and never a result.
@Suite(.serialized, .takesTurns) struct NumberTests {
    /// One step per epoch: the next loss would be that of the next epoch, after measuring.
    @Test(arguments: ["1e25", "1e39"], ["0", "0.9"])
    func divergenceAtTheEndOfAnEpoch(_ rate: String, _ average: String) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe(
                "optimizer.learning-rate=\(rate)", "training.batch=512", "training.ema=\(average)",
                "optimizer.momentum=0", "training.checkpoint-steps=100")
            let said = failure { try Tiny.run(recipe, scratch("run")).train() }
            #expect(said.hasPrefix("phase student, epoch 1, step 1: the "), "\(said)")
            #expect(said.contains(" not finite: found "), "\(said)")
            #expect(
                !FileManager.default.fileExists(atPath: scratch("run/phases/0-student/result.json"))
            )
        }
    }

    /// The network that a run left, with one weight replaced: no class is told, no score is made.
    @Test func savedModelsRefuseWhatIsNotFinite() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(Tiny.recipe("training.epochs=1"), scratch("run"))
            _ = try run.train()
            // Huge and finite: what overflows are the outputs.
            let file = try SafeTensorsFile(path: scratch("run/model.safetensors"))
            let tensors = try WeightsFile.tensors(of: file).sorted { $0.key < $1.key }
            for (_, tensor) in tensors where tensor.shape.count == 2 { tensor.fill(3e38) }
            try WeightsFile.write(
                tensors.map { ($0.key, $0.value) }, to: scratch("huge.safetensors"),
                metadata: file.metadata)
            let saved = try SavedModel(path: scratch("huge.safetensors"))
            for said in [
                failure { try saved.probabilities(run.data.test) },
                failure { try saved.evaluate(run.data.test) },
            ] {
                #expect(
                    said.hasPrefix(
                        "\(scratch("huge.safetensors")): the network's outputs are not finite: found "
                            + "sample 0 of "), "\(said)")
                #expect(said.contains("expected finite numbers"))
            }
        }
    }

    @Test func anEvaluationOfNoNumberDoesNotTrap() {
        for value in [Float.nan, .infinity, -.infinity] {
            let scores = Evaluation(logProbabilities: [value, value], classes: 2, labels: [1])
            #expect(scores.samples == 1)
        }
    }

    /// Images of 4 x 4 end in maps of one pixel: a batch of one sample leaves one value per channel.
    @Test(arguments: [1, 4]) func oneValuePerChannelIsRefusedBefore(_ batch: Int) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let files = LocalFileSystem()
            func run(_ count: Int, _ batch: Int, _ folder: String) throws -> Run {
                let images = (0..<count * 16).map { UInt8(truncatingIfNeeded: $0 * 37) }
                try files.write(
                    IDX.encoded(images: images, shape: [1, 4, 4]), to: scratch("images"))
                try files.write(
                    IDX.encoded(labels: (0..<count).map { $0 % 2 }), to: scratch("labels"))
                let recipe = try RecipeFile(
                    text: """
                        data: {kind: idx, images: \(scratch("images")), labels: \(scratch("labels"))}
                        model: {name: resnet8, width: 0.1}
                        method: {name: cross-entropy}
                        training: {epochs: 1, batch: \(batch)}
                        """, file: "tiny"
                ).decoded(Recipe.self)
                return try Run(recipe, folder: scratch(folder), compute: Tiny.compute)
            }
            // So many that batches of four leave a rest of one.
            let count = try #require(
                try (40..<60).first { try run($0, 4, "none").data.split.train.count % 4 == 1 })
            let refused = try run(count, batch, "refused")
            let samples = refused.data.split.train.count
            let said = failure { try refused.train() }
            #expect(
                said.hasPrefix(
                    "phase student, training.batch: a batch norm would see one value per channel: found a "
                        + "batch of 1 sample (\(samples) training samples in batches of \(batch))"),
                "\(said)")
            // The hint, taken literally.
            let better = try #require(
                said.split(separator: "=").last.flatMap { Int($0.dropLast()) }, "\(said)")
            _ = try run(count, better, "trained").train()
        }
    }

    // MARK: Comparisons

    private func compare(_ text: String, _ scratch: Scratch) throws -> Comparison {
        let file = try ComparisonFile([RecipeFile(text: text, file: "comparison")])
        let comparison = try Comparison(
            file, folder: scratch("out"), compute: { _ in Tiny.compute }, threads: 1, workers: 2)
        try comparison.run()
        return comparison
    }

    private static let base = """
        data: {kind: embedded, limit: 200}
        model: {name: mlp, hidden: [8]}
        training: {epochs: 2, batch: 64, ema: 0}
        seeds: [0, 1]
        rows:

        """

    @Test func aRowThatDivergesIsNamedAndTheRestTrained() throws {
        let scratch = try Scratch()
        let text =
            Self.base + """
                  - {name: wild, method: {name: cross-entropy}, optimizer: {learning-rate: 1.0e+30}}
                  - {name: good, method: {name: cross-entropy}}
                  - name: heir of a wild one
                    method: {name: distillation, teacher: {model: {name: mlp, hidden: [4]}}}
                    optimizer: {learning-rate: 1.0e+30}
                  - name: heirs of heirs
                    method: {name: self-distillation, stages: 3}
                    optimizer: {learning-rate: 1.0e+31}
                """
        for _ in 0..<2 {
            let comparison = try compare(text, scratch)
            #expect(comparison.cells.map(\.row) == ["good", "good"])
            let failed = comparison.failures
            #expect(failed.map(\.seed) == [0, 0, 0, 1, 1, 1] && failed.allSatisfy(\.isCell))
            #expect(
                failed.map(\.row) == [
                    "wild", "heir of a wild one", "heirs of heirs", "wild", "heir of a wild one",
                    "heirs of heirs",
                ])
            #expect(failed[2].reason.hasPrefix("phase stage-0, epoch 1, step "))
            #expect(failed[0].reason.hasPrefix("phase student, epoch 1, step "))
            #expect(failed[1].reason.hasPrefix("phase teacher, epoch 1, step "))
            let record = try ComparisonRecord(folder: scratch("out"))
            #expect(record.failures == failed)
            #expect(record.cells(row: "wild", noise: 0).isEmpty)
        }
    }

    @Test func aSettingThatDivergesIsNeverChosen() throws {
        let scratch = try Scratch()
        let comparison = try compare(
            Self.base + """
                  - name: searched
                    method: {name: cross-entropy}
                    search: {optimizer.learning-rate: [1.0e+30, 0.01]}
                  - name: hopeless
                    method: {name: cross-entropy}
                    search: {optimizer.learning-rate: [1.0e+30, 1.0e+31]}
                """, scratch)
        #expect(
            comparison.cells.map(\.setting) == [
                "optimizer.learning-rate=0.01", "optimizer.learning-rate=0.01",
            ])
        let first = comparison.failures.filter { $0.seed == 0 }
        #expect(first.map(\.isCell) == [false, false, false, true])
        #expect(
            first[0].row == "searched" && first[0].setting.hasPrefix("optimizer.learning-rate=1"))
        #expect(first[3].row == "hopeless" && first[3].setting == "")
    }
}
