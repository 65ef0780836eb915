import Diagnostics
import Distillation
import Foundation
import SafeTensors
import TestSupport
import Testing
import Torch

@testable import Training

/// Co-teaching: its formulas by numbers, and two networks in training.
@Suite(.serialized, .takesTurns) struct CoTeachingTests {
    // MARK: The formulas

    private func batch(_ inputs: Tensor) -> TrainingBatch {
        TrainingBatch(
            views: [inputs], labels: Tensor(RobustVectors.labels, [6]), rows: .arange(6),
            isPlain: true)
    }

    /// Both networks' losses in the epoch in which R is .4.
    private func losses(compat: Bool, clean: [Int]? = nil) -> [Losses] {
        let objective = CoTeachingObjective(
            .init(ramp: 1, compat: compat), forgetRate: 0.4, samples: 6, clean: clean)
        objective.move(to: 1)
        let z = [RobustVectors.first, RobustVectors.second].map { Tensor($0, [6, 4]).to(.float32) }
        let outputs = z.map { StudentOutput(features: $0, logits: Logits($0)) }
        return (0..<2).map { objective.losses(of: $0, outputs, batch(z[0])) }
    }

    @Test func lossesByNumbers() throws {
        try withNoLeaks {
            let own = losses(compat: false)
            #expect(abs(own[0].total.item - 0.402052805) < 1e-6)
            #expect(abs(own[1].total.item - 0.579804908) < 1e-6)
            // Network 2 keeps {2, 0, 3} for network 1, which keeps {3, 0, 2}.
            try expectClose(
                own[0].terms[0].values.doubles(),
                [0.34234958238982216, 0.5543092531334608, 0.30949958083827944])
            let published = losses(compat: true)
            #expect(abs(published[0].total.item - 0.1340176018179514) < 1e-6)
            #expect(abs(published[1].total.item - 0.19326830277770649) < 1e-6)
        }
    }

    @Test func whatIsLoggedByNumbers() throws {
        try withNoLeaks {
            // Sample 0 is mislabelled, sample 1 too; samples 0, 2 and 3 are selected.
            let own = losses(compat: false, clean: [3, 0, 2, 3, 0, 2])[0]
            #expect(
                own.metrics.map(\.name) == [
                    "batch-cross-entropy", "forgotten", "label-precision",
                ])
            try expectClose(own.means(), [0.402052805, 0.764924428, 0.5, 2 / 3])
        }
    }

    @Test func selectionByNumbers() {
        let one = [
            0.34234958238982216, 0.6360525449185845, 0.5543092531334608, 0.30949958083827944,
            0.904986024478116, 1.8423495823898222,
        ]
        let two = [
            0.5034771136085667, 1.5243882161943167, 0.33095158691267557, 0.904986024478116,
            2.263377045627388, 1.0649422915623976,
        ]
        #expect(smallestLosses(3, of: one, ids: Array(0..<6)) == [3, 0, 2])
        #expect(smallestLosses(3, of: two, ids: Array(0..<6)) == [2, 0, 3])
    }

    /// Equal losses are told apart by the samples, not by their places in the batch.
    @Test func tiesFollowTheSamples() {
        #expect(smallestLosses(2, of: [1, 1, 1], ids: [7, 3, 5]) == [1, 2])
        #expect(smallestLosses(2, of: [0, 1, 1, 1], ids: [7, 9, 5, 3]) == [0, 3])
        #expect(smallestLosses(3, of: [.nan, 2, .infinity], ids: [0, 1, 2]) == [1, 0, 2])
        #expect(smallestLosses(1, of: [.nan, 2, 1], ids: [0, 1, 2]) == [2])
    }

    @Test func keptSamplesAreRoundedDown() {
        #expect(keptSamples(of: 6, forgetRate: 0.4) == 3)
        #expect(keptSamples(of: 128, forgetRate: 0) == 128)
        #expect(keptSamples(of: 10, forgetRate: 0.8) == 2, "not 1.9999999999999996")
        #expect(keptSamples(of: 5, forgetRate: 0.99) == 1, "at least one")
        #expect(keptSamples(of: 1, forgetRate: 0.5) == 1)
        for percent in 0..<100 {
            for batch in 1...200 {
                let exact = max(1, (100 - percent) * batch / 100)
                #expect(keptSamples(of: batch, forgetRate: Double(percent) / 100) == exact)
            }
        }
    }

    @Test func schedules() throws {
        func first12(_ value: (Int) -> Double) -> [Double] { (0..<12).map(value) }
        try expectClose(
            first12 { CoTeachingOptions().forgetRate(epoch: $0, of: 0.4) },
            [0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.24, 0.28, 0.32, 0.36, 0.4, 0.4], 1e-15)
        let published = CoTeachingOptions(compat: true)
        try expectClose(
            first12 { published.publishedForgetRate(epoch: $0, of: 0.4) },
            (0..<9).map { 0.4 * Double($0) / 9 } + [0.4, 0.4, 0.4], 1e-15)
        try expectClose(
            first12 {
                CoTeachingOptions(exponent: 2, compat: true).publishedForgetRate(epoch: $0, of: 0.4)
            },
            [
                0, 0.01777777777777778, 0.03555555555555556, 0.053333333333333344,
                0.07111111111111112, 0.0888888888888889, 0.10666666666666669, 0.12444444444444447,
                0.14222222222222225, 0.16000000000000003, 0.4, 0.4,
            ], 1e-15)
        // Its first epoch that trains is its second.
        #expect(published.forgetRate(epoch: 0, of: 0.4) == 0.4 / 9)
        #expect(published.forgetRate(epoch: 8, of: 0.4) == 0.4)
        #expect(CoTeachingOptions(ramp: 1).forgetRate(epoch: 0, of: 0.4) == 0)
        #expect(CoTeachingOptions(ramp: 1).forgetRate(epoch: 1, of: 0.4) == 0.4)
        #expect(CoTeachingOptions(ramp: 1, compat: true).forgetRate(epoch: 0, of: 0.4) == 0.4)
        let squared = CoTeachingOptions(exponent: 2).forgetRate(epoch: 3, of: 0.4)
        #expect(abs(squared - 0.4 * 9 / 10) < 1e-15)
    }

    /// Nothing flows to the network that selects, nor to samples that are left out.
    @Test func gradient() throws {
        try withNoLeaks {
            let labels = Tensor(RobustVectors.labels, [6])
            let others = crossEntropy(Logits(Tensor(RobustVectors.second, [6, 4])), labels: labels)
            func loss(_ z: Tensor) -> Tensor {
                coTeachingLoss(
                    crossEntropy(Logits(z), labels: labels), selectedBy: others,
                    rows: .arange(6), keep: 3
                ).values.mean()
            }
            let z = Tensor(RobustVectors.first, [6, 4])
            z.requiresGrad = true
            loss(z).backward()
            let gradient = try #require(z.gradient).doubles()
            let step = 1e-5
            for i in RobustVectors.first.indices {
                func moved(_ by: Double) -> Double {
                    var z = RobustVectors.first
                    z[i] += by
                    return loss(Tensor(z, [6, 4])).item
                }
                let difference = (moved(step) - moved(-step)) / (2 * step)
                #expect(abs(gradient[i] - difference) < 1e-9)
                if [1, 4, 5].contains(i / 4) { #expect(gradient[i] == 0) }
            }
        }
    }

    // MARK: In training

    /// If nothing is forgotten the networks are independent, to the last bit.
    @Test func withoutForgettingNetworksAreIndependent() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            func train(_ method: String, _ name: String) throws -> PhaseResult.Peers {
                let run = try Tiny.run(
                    Tiny.recipe("model.dropout=0.2", "method=\(method)"), scratch(name))
                return try #require(try run.train().scores.phases[0].peers)
            }
            let alone = try train("{name: mutual, weight: 0}", "alone")
            let both = try train("{name: co-teaching, forget-rate: 0}", "both")
            #expect(alone == both)
            for peer in ["peer-1", "peer-2"] {
                for name in ["last", "selected", "ema-last"] {
                    let path = "phases/0-peers/\(peer)-\(name).safetensors"
                    let a = try SafeTensorsFile(path: scratch("alone/\(path)"))
                    let b = try SafeTensorsFile(path: scratch("both/\(path)"))
                    for tensor in a.tensors {
                        #expect(try a.bytes(of: tensor.name) == b.bytes(of: tensor.name))
                    }
                }
            }
        }
    }

    /// In the first epoch everything is kept, right or wrong; later the share that R leaves.
    @Test func metricsFollowTheSchedule() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                Tiny.recipe(
                    "method={name: co-teaching, forget-rate: injected, ramp: 1}",
                    "training.batch=85"),
                scratch("run"))
            _ = try run.train()
            let epochs = run.store.metrics(run.chain[0])
            let (clean, given) = (
                try #require(run.data.learning.clean), run.data.learning.labels
            )
            let right = run.data.split.train.count { clean[$0] == given[$0] }
            let share = Double(right) / Double(run.data.split.train.count)
            for learner in try #require(epochs[0].learners) {
                let metrics = try #require(learner.metrics)
                let precision = try #require(metrics["label-precision"])
                let loss = try #require(metrics["batch-cross-entropy"])
                #expect(metrics["forgotten"] == 0)
                #expect(abs(precision - share) < 1e-12 && abs(learner.loss - loss) < 1e-6)
            }
            for learner in try #require(epochs[1].learners) {
                let metrics = try #require(learner.metrics)
                let forgotten = try #require(metrics["forgotten"])
                let loss = try #require(metrics["batch-cross-entropy"])
                // ⌊.7 · 85⌋ = 59 of 85.
                #expect(abs(forgotten - 26 / 85.0) < 1e-12 && learner.loss != loss)
            }
        }
    }

    /// Each network selects as many samples as the other learns from; every one of them in the first epoch.
    @Test func selectionsAreCounted() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                Tiny.recipe(
                    "method={name: co-teaching, forget-rate: injected, ramp: 1}",
                    "training.batch=85"),
                scratch("run"))
            let result = try run.train().scores.phases[0]
            let lines = try String(
                contentsOfFile: scratch("run/phases/0-peers/columns.csv"), encoding: .utf8
            ).split(separator: "\n")
            #expect(lines[0] == "peers.selected-by-peer-1,peers.selected-by-peer-2")
            let rows = lines.dropFirst().map { $0.split(separator: ",").compactMap { Int($0) } }
            #expect(rows.count == run.data.split.train.count)
            for k in 0..<2 {
                #expect(rows.allSatisfy { $0[k] == 1 || $0[k] == 2 })
                #expect(rows.count { $0[k] == 2 } == 2 * 59)
            }
            let section = try #require(result.sections.first)
            #expect(section.title == "Co-teaching")
            let last = try #require(run.store.metrics(run.chain[0]).last?.learners)
            #expect(
                section.values.filter { $0.name == "label-precision" }.map(\.value)
                    == last.map { $0.metrics?["label-precision"] })
            #expect(section.values.allSatisfy { $0.value != nil })
        }
    }

    /// A network whose losses are not finite selects for nobody: the step stops before any update.
    @Test func stopsAtLossesThatAreNotFinite() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let peers = "peers: [{}, {optimizer: {learning-rate: 1e30}}]"
            let recipe = try Tiny.recipe(
                "method={name: co-teaching, forget-rate: injected, \(peers)}",
                "training.checkpoint-steps=1")
            let said = failure { try Tiny.run(recipe, scratch("run")).train() }
            #expect(
                said.hasPrefix("phase peers, epoch 1, step 2: the loss is not finite"), "\(said)")
            #expect(said.contains("step-000000000001"), "\(said)")
        }
    }

    /// Stopped inside the second epoch, in which samples are left out, and gone on with.
    @Test func resumesToTheSameBytes() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe(
                "method={name: co-teaching, forget-rate: injected, ramp: 1, peers: [{}, {optimizer: {kind: adam}}]}",
                "model.dropout=0.2")
            #expect(try Tiny.differences(afterStop: 5, of: recipe, scratch) == [])
            #expect(
                try Tiny.differences(
                    afterStop: 5, of: recipe, scratch, droppingRandomState: true
                ).contains("phases/0-peers/last.safetensors"))
        }
    }

    // MARK: Options

    /// r as the objective of a recipe has it.
    private func rate(_ options: String, noise: String, _ scratch: Scratch) throws -> Double {
        let run = try Tiny.run(
            Tiny.recipe("method={name: co-teaching\(options)}", "noise=\(noise)"), scratch("run"))
        let trainer = try PhaseTrainer(
            run.chain[0], data: run.data, folder: scratch("phase"), environment: .init()
        ) { _ in preconditionFailure("no earlier phase") }
        return try #require(trainer.objective as? CoTeachingObjective).rate
    }

    @Test func theRateOfInjectedNoise() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let symmetric = "{kind: symmetric, rate: 0.3}"
            let plain = try rate(", forget-rate: injected", noise: symmetric, scratch)
            #expect(abs(plain - 0.3) < 1e-12)
            #expect(try rate(", forget-rate: 0.2", noise: symmetric, scratch) == 0.2)
            #expect(try rate(", forget-rate: 0.2", noise: "{kind: none}", scratch) == 0.2)
            // A tenth of what is relabelled stays what it was.
            let inclusive = try rate(
                ", forget-rate: injected", noise: "{kind: symmetric-inclusive, rate: 0.3}", scratch)
            #expect(abs(inclusive - 0.27) < 1e-12)
            // Over all classes, of which one is hit.
            let one = try rate(
                ", forget-rate: injected", noise: "{kind: asymmetric, rate: 0.4, map: {0: 1}}",
                scratch)
            #expect(abs(one - 0.04) < 0.01)
        }
    }

    @Test func refusals() throws {
        func said(_ options: String) -> String {
            failure { try Tiny.recipe("method={name: co-teaching, \(options)}") }
        }
        #expect(
            said("peers: 3")
                == "tiny, line 4, method.peers: value out of range: found 3, expected 2 peers")
        #expect(
            said("forget-rate: 1")
                == "tiny, line 4, method.forget-rate: value out of range: found 1.0, "
                + "expected 0 <= forget-rate < 1")
        #expect(
            said("ramp: 0")
                == "tiny, line 4, method.ramp: value out of range: found 0, expected 1 to 100000")
        #expect(
            said("exponent: 0")
                == "tiny, line 4, method.exponent: value out of range: found 0.0, "
                + "expected exponent > 0")
        #expect(
            said("forget: 0.2")
                == "tiny, line 4, method.forget: unknown key \"forget\" (did you mean "
                + "\"forget-rate\"?)")
    }

    /// Nobody knows how many labels are wrong: it has to be said.
    @Test func theRateHasToBeKnown() throws {
        let scratch = try Scratch()
        let recipe = try Tiny.recipe(
            "method={name: co-teaching, forget-rate: injected}", "noise={kind: none}")
        #expect(
            failure { try Tiny.run(recipe, scratch("run")) }
                == "method.forget-rate: the noise rate is not known: found noise kind none, expected "
                + "the share of labels that are wrong (only the rate of injected noise is taken from "
                + "the recipe; auto estimates one)")
        #expect(!FileManager.default.fileExists(atPath: scratch("run")))
    }

    @Test func optionsAreInTheKey() throws {
        func key(_ options: String) throws -> String {
            try Tiny.recipe("method={name: co-teaching\(options)}")
                .phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }.last!.key
        }
        #expect(try key("") == key(", ramp: 10, exponent: 1, compat: false, peers: 2"))
        let others = [
            ", ramp: 5", ", exponent: 2", ", compat: true", ", forget-rate: 0.3",
            ", noise-per-peer: true",
        ]
        let keys = try ([""] + others).map(key)
        #expect(Set(keys).count == 6)
    }

    @Test func theExampleIsRead() throws {
        let recipe = try RecipeFile(path: Tiny.example("co-teaching.yaml")).decoded(Recipe.self)
        #expect(recipe.method.base is CoTeaching)
        #expect(try RecipeFile(text: recipe.yaml, file: "again").decoded(Recipe.self) == recipe)
    }
}
