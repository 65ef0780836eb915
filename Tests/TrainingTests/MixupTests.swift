import Datasets
import Diagnostics
import Distillation
import Files
import Foundation
import SafeTensors
import TestSupport
import Testing
import Torch

@testable import Training

/// Mixup in training: its draws, and what is mixed of images, tables and texts.
@Suite(.serialized, .takesTurns) struct MixupRunTests {
    private func draw(_ epoch: Int, _ step: Int, alpha: Double = 1, seed: UInt64 = 4) -> MixupDraw {
        MixupDraw(samples: 16, alpha: alpha, seed: seed, epoch: epoch, step: step)
    }

    @Test func drawsAreOfTheStep() {
        #expect(draw(1, 2) == draw(1, 2))
        #expect(draw(1, 2) != draw(1, 3) && draw(1, 2) != draw(2, 2))
        #expect(draw(1, 2) != draw(1, 2, seed: 5))
        #expect(draw(0, 0).partners.sorted() == Array(0..<16))
        // Mean ½ and variance 1/(4 (2α + 1)).
        for alpha in [0.2, 1, 8] {
            let lambdas = (0..<4000).map { draw($0 / 100, $0 % 100, alpha: alpha).lambda }
            let mean = lambdas.reduce(0, +) / 4000
            let variance = lambdas.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000
            #expect(abs(mean - 0.5) < 0.03)
            #expect(abs(variance - 1 / (4 * (2 * alpha + 1))) < 0.012)
        }
    }

    private func weights(_ method: String, _ folder: String) throws -> [String: [UInt8]] {
        let run = try Tiny.run(Tiny.recipe("method=\(method)", "model.dropout=0.2"), folder)
        _ = try run.train()
        let file = try SafeTensorsFile(path: "\(folder)/phases/0-student/last.safetensors")
        return try Dictionary(
            uniqueKeysWithValues: file.tensors.map { ($0.name, Array(try file.bytes(of: $0.name))) }
        )
    }

    /// With α = 0 nothing is mixed, and it is cross-entropy to the last bit, wherever it would be mixed.
    @Test func withoutMixingItIsCrossEntropy() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let plain = try weights("{name: cross-entropy}", scratch("plain"))
            #expect(try weights("{name: mixup, alpha: 0}", scratch("inputs")) == plain)
            #expect(
                try weights("{name: mixup, alpha: 0, mix: features}", scratch("features")) == plain)
            #expect(try weights("{name: mixup}", scratch("mixed")) != plain)
        }
    }

    /// One step on a linear classifier by hand: the gradient of its bias is the mean of p − mixed label.
    @Test func oneStep() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                Tiny.recipe(
                    "method={name: mixup, alpha: 2}", "model={name: mlp, hidden: []}",
                    "optimizer={learning-rate: 0.1, momentum: 0}", "schedule={kind: constant}"),
                scratch("run"))
            let trainer = try PhaseTrainer(
                run.chain[0], data: run.data, folder: scratch("phase"), environment: .init()
            ) { _ in preconditionFailure("no earlier phase") }
            let head = trainer.learners[0].network.head
            let (weight, bias) = (head.weight.tensor.cloned(), head.bias!.tensor.cloned())
            let batch = try trainer.context.plan().batch(epoch: 0, step: 0)
            let own = trainer.labelled(batch, for: trainer.learners[0])
            let mix = MixupDraw(
                samples: 64, alpha: 2, seed: trainer.context.seed, epoch: 0, step: 0)
            _ = try trainer.takeStep(batch)
            let x = mix.mixed(own.inputs.flattened())
            let p = (x.matmul(weight.transposed()) + bias).softmax()
            let target = mix.mixed(own.labels.oneHot(10).to(.float32))
            try expectClose(head.bias!.tensor, bias - (p - target).mean(0) * 0.1, 1e-6)
        }
    }

    @Test func resumesToTheSameBytes() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe(
                "method={name: mixup, alpha: 0.4, loss: sce}", "model.dropout=0.2")
            #expect(try Tiny.differences(afterStop: 4, of: recipe, scratch) == [])
            #expect(
                try Tiny.differences(
                    afterStop: 4, of: recipe, scratch, droppingRandomState: true
                ).contains("phases/0-student/last.safetensors"))
        }
    }

    /// Images in channels-last memory, a table, and the sentence vectors of texts.
    @Test func imagesTablesAndTexts() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let image = try Tiny.run(
                Tiny.recipe(
                    "method={name: mixup}", "model={name: resnet8, width: 0.1}",
                    "training.augmentation={padding: 2, flip: true}"), scratch("images"))
            _ = try image.train()
            let table = try Tiny.run(
                Tiny.recipe("method={name: mixup, alpha: 8}", "data={kind: spiral, samples: 200}"),
                scratch("table"))
            _ = try table.train()
            let rows = (0..<40).map { "\"\($0 % 2 == 0 ? "fine" : "poor") \($0)\",\($0 % 2)" }
            try LocalFileSystem().write(
                Array((["review,given"] + rows).joined(separator: "\n").utf8), to: scratch("t.csv"))
            func text(_ method: String) throws -> Run {
                let recipe = try RecipeFile(
                    text: """
                        data: {kind: text, path: \(scratch("t.csv")), text: review, label: given}
                        model: {name: fasttext, buckets: 500, width: 0.25}
                        method: \(method)
                        training: {epochs: 1, batch: 8, ema: 0}
                        """, file: "text"
                ).decoded(Recipe.self)
                return try Run(
                    recipe, folder: scratch("text"), compute: Tiny.compute, dataFiles: DataFiles())
            }
            #expect(
                failure { try text("{name: mixup, mix: inputs}").train() }
                    == "method.mix: characters cannot be mixed: found inputs, of texts, expected "
                    + "features, or no key")
            _ = try text("{name: mixup}").train()
        }
    }

    // MARK: Options

    @Test func refusals() throws {
        func said(_ options: String, _ changes: String = "name=tiny") -> String {
            failure { try Tiny.recipe("method={name: mixup\(options)}", changes) }
        }
        for (alpha, found) in [
            ("-1", "-1.0"), ("1e-4", "0.0001"), (".inf", "inf"), (".nan", "nan"),
        ] {
            #expect(
                said(", alpha: \(alpha)")
                    == "tiny, line 4, method.alpha: value out of range: found \(found), expected 0 or "
                    + "0.001 to 1000")
        }
        #expect(
            said(", mix: input")
                == "tiny, line 4, method.mix: unknown word \"input\" (did you mean \"inputs\"?)")
        let scratch = try Scratch()
        #expect(
            failure {
                try Tiny.run(
                    Tiny.recipe("method={name: mixup}", "relation={encoder: {epochs: 1}}"),
                    scratch("run")
                ).train()
            }
                == "relation: relations cannot guide this method: found steps of its own (mixup), "
                + "expected a method that only has losses")
    }

    @Test func theExampleIsRead() throws {
        let recipe = try RecipeFile(path: Tiny.example("mixup.yaml")).decoded(Recipe.self)
        #expect(recipe.method == AnyMethod(Mixup(.init(alpha: 4))))
        #expect(try RecipeFile(text: recipe.yaml, file: "again").decoded(Recipe.self) == recipe)
    }
}
