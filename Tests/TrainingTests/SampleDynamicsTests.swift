import Datasets
import Distillation
import Files
import Foundation
import TestSupport
import Testing
import Torch

@testable import Training

/// Training dynamics of single samples, by numbers and in every kind of loop.
@Suite(.serialized, .takesTurns) struct SampleDynamicsTests {
    @Test func marginsByNumbers() throws {
        try withNoLeaks {
            let logits = Logits(Tensor(RobustVectors.first, [6, 4]))
            let labels = Tensor(RobustVectors.labels, [6])
            try expectClose(
                givenMargin(logits, labels: labels).doubles(), [1.5, 0.9, 1.1, 1.9, 0.2, -1.5])
            #expect(
                givenMargin(Logits(Tensor([3.0, 4], [2, 1])), labels: Tensor([0, 0], [2])).doubles()
                    == [0, 0])
        }
    }

    /// Four epochs of two samples: right, wrong, right, wrong; and never right.
    @Test func eventsByNumbers() throws {
        let dynamics = SampleDynamics(rows: 3, learners: 1, epochs: 4)
        let margins = [2.0, -1, 1, -4]
        func note(_ dynamics: SampleDynamics, _ epoch: Int) {
            let m = margins[epoch]
            let logits = Logits(Tensor([0, m, 1, 0], [2, 2]))
            dynamics.note(
                logits, predictions: logits.predictions.ints(), rows: [2, 0],
                labels: Tensor([1, 1], [2]), epoch: epoch, learner: 0)
        }
        for epoch in 0..<3 { note(dynamics, epoch) }
        // A checkpoint between two epochs knows what came before.
        let resumed = SampleDynamics(rows: 3, learners: 1, epochs: 4)
        try resumed.restore(
            from: Dictionary(uniqueKeysWithValues: dynamics.state.map { ($0.name, $0.tensor) }),
            "here")
        for dynamics in [dynamics, resumed] {
            note(dynamics, 3)
            let summary = dynamics.summary
            #expect(summary.observations == [4, 0, 4])
            #expect(summary.margin[0] == -1 && summary.margin[2] == -0.5)
            #expect(summary.forgetting[0] == 0 && summary.forgetting[2] == 2)
            #expect(summary.agreement[0] == 0 && summary.agreement[2] == 0.5)
            // The first two of four epochs.
            #expect(summary.earlyAgreement[0] == 0 && summary.earlyAgreement[2] == 0.5)
            #expect(summary.margin[1].isNaN && summary.agreement[1].isNaN)
        }
    }

    /// PyTorch's cross-entropy with class weights is Σ w_i ℓ_i / Σ w_i; weights with mean 1 give the same.
    @Test func weightedMeanByNumbers() throws {
        try withNoLeaks {
            let z = Tensor(RobustVectors.first, [6, 4])
            let labels = Tensor(RobustVectors.labels, [6])
            let byClass = [1, 0.5, 2, 0.25]
            let weights = SampleWeights(RobustVectors.labels.map { byClass[$0] })
            let normalised = try #require(weights.normalised(of: Array(0..<6)))
            let losses = Losses([
                .init("a", crossEntropy(Logits(z), labels: labels)),
                .init("b", weight: 2, Tensor.ones([6], dtype: .float64)),
            ])
            let weighted = losses.weighted(by: Tensor(normalised, [6]))
            #expect(abs(weighted.means()[0] - 0.953489547493832) < 1e-12)
            #expect(abs(losses.means()[0] - 0.7649244280246809) < 1e-12)
            #expect(abs(weighted.total.item - 2.953489547493832) < 1e-12)
        }
    }

    // MARK: In training

    /// Killed at any step, the record ends in the same bytes; with other draws it does not.
    @Test(arguments: [1, 2, 3, 4, 5]) func resumed(stop: Int) throws {
        let scratch = try Scratch()
        let recipe = try Tiny.recipe("training.dynamics=true", "training.epochs=3")
        #expect(try Tiny.differences(afterStop: stop, of: recipe, scratch) == [])
        let dropped = try Tiny.differences(
            afterStop: stop, of: recipe, scratch, droppingRandomState: true)
        #expect(dropped.contains("dynamics.safetensors"))
    }

    @Test func recordsNothingUnlessAsked() throws {
        let scratch = try Scratch()
        _ = try Tiny.run(try Tiny.recipe(), scratch("run")).train()
        _ = try Tiny.run(try Tiny.recipe("training.dynamics=true"), scratch("recorded")).train()
        let (plain, recorded) = (
            try Tiny.content(scratch("run")), try Tiny.content(scratch("recorded"))
        )
        #expect(
            Set(recorded.keys).subtracting(plain.keys) == [
                "dynamics.safetensors", "phases/0-student/dynamics.safetensors",
                "phases/0-student/columns.csv",
            ])
        // It only looks.
        #expect(plain["model.safetensors"] == recorded["model.safetensors"])
    }

    static let methods: [(method: String, column: String?)] = [
        ("{name: cross-entropy}", nil), ("{name: early-learning}", "target-of-given"),
        ("{name: early-learning-plus}", nil), ("{name: sop}", "label-noise"),
        ("{name: ncod}", "label-noise"),
        ("{name: co-teaching, forget-rate: 0.2, ramp: 1}", "selected-by-peer-1"),
        ("{name: jocor, forget-rate: 0.2, ramp: 1}", nil),
        ("{name: dividemix, warm-up: 1, ramp: 1}", nil), ("{name: lccn, warm-up: 1}", nil),
        ("{name: self-distillation, stages: 1}", nil),
    ]

    /// Whatever the method, each sample's record stands under its place in the data.
    @Test(arguments: methods) func everyMethod(method: String, column: String?) throws {
        let scratch = try Scratch()
        let recipe = try RobustData.table.recipe(
            method, scratch, "data.held-out={fold: 2, of: 4}", "training.epochs=3")
        let run = try Tiny.run(recipe, scratch("run"))
        _ = try run.train()
        let phase = run.store.path(run.chain.last!)
        let table = try SampleTable("\(phase)/dynamics.safetensors")
        // Not every epoch of DivideMix takes every sample.
        let isOfMixtures = method.contains("dividemix")
        #expect(table.index == run.data.split.train)
        #expect(try table.values("observations").values.allSatisfy { $0 >= (isOfMixtures ? 1 : 3) })
        for name in ["margin", "forgetting-events", "given-predicted", "given-predicted-early"] {
            #expect(try table.values(name).values.allSatisfy { $0.isFinite }, "\(name)")
        }
        let columns = try SampleColumns(phase: phase)
        #expect(columns.index == table.index)
        let margins = try #require(columns.numbers("margin"))
        for (a, b) in zip(margins, try table.values("margin").values) {
            #expect(abs(a - b) < 1e-4 * max(1, abs(a)))
        }
        if let column {
            #expect(columns.numbers(column)?.allSatisfy { $0.isFinite } == true, "\(columns.names)")
        }
        #expect(columns.numbers("nothing") == nil)
        let judged = try SampleTable("\(run.folder)/judged.safetensors")
        #expect(judged.role.count { $0 == .heldOut } == run.data.heldOut.count)
    }

    /// What a network sees of mixtures says nothing of the samples in them.
    @Test func mixturesAreUnknown() throws {
        let scratch = try Scratch()
        let recipe = try RobustData.table.recipe(
            "{name: mixup}", scratch, "training.dynamics=true")
        _ = try Tiny.run(recipe, scratch("run")).train()
        let table = try SampleTable("\(scratch("run"))/dynamics.safetensors")
        #expect(try table.values("observations").values.allSatisfy { $0 == 0 })
        #expect(try table.values("margin").values.allSatisfy { $0.isNaN })
    }
}
