import Diagnostics
import Distillation
import Foundation
import SafeTensors
import TestSupport
import Testing
import Torch

@testable import Datasets
@testable import Training

/// Networks that learn side by side.
@Suite(.serialized, .takesTurns) struct MutualTests {
    private func trainer(_ scratch: Scratch, _ changes: String...) throws -> PhaseTrainer {
        var file = try RecipeFile(text: Tiny.text, file: "tiny")
        for change in changes { file = try file.setting(change) }
        let run = try Tiny.run(file.decoded(Recipe.self), scratch("run"))
        return try PhaseTrainer(
            run.chain[0], data: run.data, folder: scratch("phase"), environment: .init()
        ) { _ in preconditionFailure("no earlier phase") }
    }

    // MARK: Against PyTorch

    @Test(
        arguments: ["simultaneous", "recomputed"], ["2-0.5", "2-1.0", "2-2.0", "3-0.5", "3-2.0"])
    func twoStepsMeetPyTorch(_ order: String, _ what: String) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let fixture = try FixtureFile("mutual", in: .module)
            let name = "\(order)-\(what)"
            let widths = what.hasPrefix("2") ? [4, 4] : [4, 3, 5]
            let peers = widths.map { "{model: {name: mlp, hidden: [\($0)]}}" }.joined(
                separator: ", ")
            let alpha = what.dropFirst(2)
            let trainer = try trainer(
                scratch, "noise={kind: none}", "schedule.kind=constant",
                "data={kind: gaussian-classes, classes: 10, features: 12, samples: 400}",
                "optimizer={learning-rate: 0.1, momentum: 0.9, nesterov: true, weight-decay: 0.0005}",
                "method={name: mutual, peers: [\(peers)], update: \(order), order: \(alpha)}")
            for (k, learner) in trainer.learners.enumerated() {
                withoutGradient { fill(learner.network.state, first: 100 * k) }
            }
            let labels = try fixture.tensor("labels").ints()
            // Any samples with the fixture's labels: their features are replaced.
            let members = try labels.map { label in
                try #require(
                    trainer.data.split.train.first { trainer.data.learning.labels[$0] == label })
            }
            let batch = Batch(
                epoch: 0, step: 0, indices: members,
                features: values(inputStream, [labels.count, 12]).floats(),
                shape: [labels.count, 12])
            let losses = try fixture.tensor("\(name).losses").floats()
            for step in 0..<2 {
                for learner in trainer.learners { learner.record.sums = EpochSums() }
                try trainer.advance(batch)
                trainer.stepInEpoch += 1
                for (i, learner) in trainer.learners.enumerated() {
                    let total = learner.record.sums.total / Double(labels.count)
                    #expect(abs(total - Double(losses[step * widths.count + i])) < 1e-5)
                }
            }
            for learner in trainer.learners {
                for (key, tensor) in learner.network.state {
                    try expectClose(
                        tensor, fixture.tensor("\(name).\(learner.name).final.\(key)"), 1e-5,
                        "\(name) \(learner.name) \(key)")
                }
            }
        }
    }

    // MARK: Identities

    /// Without the divergence the first peer is the network that learns alone, to the last bit, and the
    /// second one is another.
    @Test func withoutWeightPeersAreIndependent() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let alone = try Tiny.run(Tiny.recipe("model.dropout=0.2"), scratch("alone"))
            let peers = try Tiny.run(
                Tiny.recipe("model.dropout=0.2", "method={name: mutual, weight: 0}"),
                scratch("peers"))
            let (a, b) = (try alone.train().scores.phases[0], try peers.train().scores.phases[0])
            let each = try #require(b.peers).each
            #expect(each[0].own == a.student)
            #expect(each[0].ema == a.ema)
            #expect(each[1].own != a.student)
            for name in ["last", "selected", "ema-last"] {
                let own = try SafeTensorsFile(
                    path: scratch("alone/phases/0-student/\(name).safetensors"))
                let peer = try SafeTensorsFile(
                    path: scratch("peers/phases/0-peers/peer-1-\(name).safetensors"))
                for tensor in own.tensors {
                    #expect(try own.bytes(of: tensor.name) == peer.bytes(of: tensor.name))
                }
            }
        }
    }

    /// The authors' code and a recipe that names no order agree, whoever makes the options.
    @Test func orderIsThatOfThePaperIfNotGiven() throws {
        #expect(MutualLearningOptions().divergence == .renyi(order: 2))
        let named = try Tiny.recipe("method={name: mutual, divergence: {name: renyi, order: 2}}")
        #expect(try Tiny.recipe("method={name: mutual}") == named)
        #expect(try Tiny.recipe("method={name: mutual, order: 1.5}") != named)
    }

    /// Order 1 and KL are the same method.
    @Test func orderOneIsKullbackLeibler() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let kl = try Tiny.run(
                Tiny.recipe("method={name: mutual, divergence: kl}"), scratch("kl"))
            let one = try Tiny.run(Tiny.recipe("method={name: mutual, order: 1}"), scratch("one"))
            #expect(
                try kl.train().scores.phases[0].peers == one.train().scores.phases[0].peers)
        }
    }

    /// A mixed pair with an optimizer each; every peer is saved as a model that evaluates as measured.
    @Test func peersAreOrdinaryModels() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                Tiny.recipe(
                    "method={name: mutual, peers: [{}, {model: {name: lenet5}, optimizer: {kind: adam}}]}"
                ),
                scratch("run"))
            let result = try run.train()
            let peers = try #require(result.scores.phases[0].peers)
            #expect(peers.each.map(\.model) == ["mlp", "lenet5"])
            #expect(result.evaluations == peers.each[peers.best].own)
            for peer in peers.each {
                let saved = try SavedModel(path: scratch("run/\(peer.name).safetensors"))
                #expect(saved.card.model.name == peer.model)
                let measured = try saved.evaluate(run.data.test, members: run.data.testMembers)
                #expect(measured.accuracy == peer.own.selected.test.accuracy)
            }
            let best = peers.each.map(\.own.selected.validation.accuracy).max()
            #expect(result.evaluations.selected.validation.accuracy == best)
        }
    }

    /// The ensemble and the agreement, by hand from the saved peers' probabilities.
    @Test func ensembleAndAgreement() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                Tiny.recipe("method={name: mutual, peers: 3}"), scratch("run"))
            let peers = try #require(try run.train().scores.phases[0].peers)
            let p = try peers.each.map {
                try SavedModel(path: scratch("run/\($0.name).safetensors"))
                    .probabilities(run.data.test)
            }
            let (n, classes) = (run.data.test.count, run.data.classCount)
            func best(_ row: [Float]) -> Int { row.firstIndex(of: row.max()!)! }
            var hits = 0
            var equal = 0
            for i in 0..<n {
                let rows = p.map { Array($0[i * classes..<(i + 1) * classes]) }
                let mean = (0..<classes).map { c in rows.map { $0[c] }.reduce(0, +) / 3 }
                if best(mean) == run.data.test.labels[i] { hits += 1 }
                let predictions = rows.map(best)
                equal += (predictions[0] == predictions[1]) ? 1 : 0
                equal += (predictions[0] == predictions[2]) ? 1 : 0
                equal += (predictions[1] == predictions[2]) ? 1 : 0
            }
            #expect(abs(peers.selected.ensemble.test.accuracy - Double(hits) / Double(n)) < 2e-3)
            #expect(abs(peers.selected.testAgreement - Double(equal) / Double(3 * n)) < 2e-3)
        }
    }

    // MARK: Options

    /// Peers with annotators of their own share neither noise nor, therefore, training accuracy; the
    /// validation labels and the noise rate are the same.
    @Test func noisePerPeer() throws {
        let scratch = try Scratch()
        let trainer = try trainer(
            scratch, "method={name: mutual, peers: 3, noise-per-peer: true}", "data.limit=2000")
        let data = trainer.data
        let clean = try #require(data.learning.clean)
        let rates = trainer.learners.map { learner in
            Double(data.split.train.count { learner.labels[$0] != clean[$0] })
                / Double(data.split.train.count)
        }
        for rate in rates { #expect(abs(rate - 0.3) < 0.04, "\(rates)") }
        #expect(trainer.learners[0].labels == data.learning.labels)
        let different = data.split.train.count {
            trainer.learners[1].labels[$0] != trainer.learners[2].labels[$0]
        }
        // Two independent draws of rate r differ with probability 1 − (1−r)² − r²/9.
        let expected = 1 - 0.49 - 0.01
        #expect(abs(Double(different) / Double(data.split.train.count) - expected) < 0.04)
        for learner in trainer.learners {
            #expect(
                data.split.validation.allSatisfy { learner.labels[$0] == data.learning.labels[$0] })
        }
    }

    /// What is logged: both terms, the pull of the others, the gradient's norm, agreement.
    @Test func metricsOfPeers() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                Tiny.recipe("method={name: mutual, peers: 2, weight: 0.5}"), scratch("run"))
            _ = try run.train()
            let epochs = run.store.metrics(run.chain[0])
            #expect(epochs.count == 2)
            for epoch in epochs {
                let each = try #require(epoch.learners)
                #expect(each.count == 2)
                for learner in each {
                    let terms = learner.terms
                    #expect(Set(terms.keys) == ["cross-entropy", "divergence"])
                    let total = terms["cross-entropy"]! + 0.5 * terms["divergence"]!
                    #expect(abs(learner.loss - total) < 1e-9)
                    let pull = try #require(learner.metrics?["divergence-gradient"])
                    #expect(pull > 0 && pull <= 2.0.squareRoot())
                    #expect(try #require(learner.gradientNorm) > 0)
                }
                #expect(abs(epoch.loss - (each[0].loss + each[1].loss) / 2) < 1e-12)
                let agreement = try #require(epoch.agreement)
                #expect(agreement > 0 && agreement <= 1)
            }
        }
    }

    @Test func refusals() throws {
        func said(_ method: String) -> String { failure { try Tiny.recipe("method=\(method)") } }
        #expect(
            said("{name: mutual, peers: 1}")
                == "tiny, line 4, method.peers: value out of range: found 1, expected 2 to 16 peers"
        )
        #expect(
            said("{name: mutual, order: 2, divergence: kl}")
                == "tiny, line 4, method.order: value out of range: found order beside divergence kl, "
                + "expected one of the two: order is that of divergence renyi")
        #expect(
            said("{name: mutual, order: -1}")
                == "tiny, line 4, method.order: value out of range: found -1.0, expected 0 or more (.inf too)"
        )
        #expect(
            said("{name: mutual, weight: {kind: geometric, from: 1, to: 0}}")
                == "tiny, line 4, method.weight: value out of range: found 1.0 to 0.0, expected both above 0 "
                + "(geometric)")
        #expect(
            said("{name: mutual, peers: [{}, {model: {name: lenet55}}]}").contains("lenet5"))
        #expect(
            said("{name: mutual, peers: [{}, {optimiser: {learning-rate: 1}}]}").contains(
                "optimizer"))
    }
}

/// Numbers that change over the epochs, against the formulas.
@Suite struct RampTests {
    @Test func values() {
        #expect(Ramp(2).value(epoch: 7, of: 9) == 2)
        #expect(Ramp(.infinity).value(epoch: 7, of: 9) == .infinity)
        let linear = Ramp(.linear, from: 0, to: 1, over: 10)
        #expect(linear.value(epoch: 0, of: 100) == 0)
        #expect(linear.value(epoch: 5, of: 100) == 0.5)
        #expect(linear.value(epoch: 50, of: 100) == 1)
        // The authors' image code: α_max (1 + cos πt/T)/2.
        let cosine = Ramp(.cosine, from: 2, to: 0)
        #expect(abs(cosine.value(epoch: 25, of: 100) - (1 + 0.5.squareRoot())) < 1e-12)
        #expect(abs(cosine.value(epoch: 50, of: 100) - 1) < 1e-12)
        let geometric = Ramp(.geometric, from: 2, to: 0.5, over: 4)
        for epoch in 0..<3 {
            let factor =
                geometric.value(epoch: epoch + 1, of: 4) / geometric.value(epoch: epoch, of: 4)
            #expect(abs(factor - 0.5.squareRoot()) < 1e-12)
        }
    }
}
