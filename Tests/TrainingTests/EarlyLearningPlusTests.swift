import Diagnostics
import Distillation
import Foundation
import TestSupport
import Testing
import Torch

@testable import Training

/// ELR+ in training; its formulas by numbers are beside those of the losses.
@Suite(.serialized, .takesTurns) struct EarlyLearningPlusTests {
    private func trained(
        _ options: String, _ scratch: Scratch, _ changes: String...
    ) throws -> PhaseTrainer {
        var file = try RecipeFile(text: Tiny.text, file: "tiny")
        for change in ["method={name: early-learning-plus\(options)}"] + changes {
            file = try file.setting(change)
        }
        let run = try Tiny.run(file.decoded(Recipe.self), scratch("run-\(UUID())"))
        let trainer = try PhaseTrainer(
            run.chain[0], data: run.data, folder: scratch("phase-\(UUID())"), environment: .init()
        ) { _ in preconditionFailure("no earlier phase") }
        try trainer.prepare()
        _ = try trainer.run()
        return trainer
    }

    /// Averages that do not average are the networks themselves; others lag behind.
    @Test func averages() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            func distance(_ options: String) throws -> Double {
                let trainer = try trained(options, scratch)
                let objective = try #require(trainer.objective as? EarlyLearningPlusObjective)
                var sum = 0.0
                for (average, learner) in zip(objective.averages, trainer.learners) {
                    for (a, b) in zip(average.state, learner.network.state) {
                        sum += (a.tensor - b.tensor.detached()).norm().item
                    }
                }
                return sum
            }
            #expect(try distance(", decay: 0") == 0)
            let slow = try distance(", decay: 0.9, decay-steps: 0")
            #expect(slow > 0.001)
            // By the paper's ramp the average hardly differs from the network in six steps.
            #expect(try distance("") < slow / 10)
        }
    }

    /// After three epochs every memory is 1 − β³ of a distribution.
    @Test func theMemoryGrows() throws {
        try withNoLeaks {
            let trainer = try trained("", Scratch(), "training.epochs=3")
            let objective = try #require(trainer.objective as? EarlyLearningPlusObjective)
            for memory in objective.memories {
                for sum in memory.all.sum(-1).doubles() { #expect(abs(sum - 0.657) < 1e-5) }
            }
            #expect(objective.memories[0].all.bytes() != objective.memories[1].all.bytes())
        }
    }

    @Test func whatTheMemoriesSay() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                Tiny.recipe("method={name: early-learning-plus}"), scratch("run"))
            let section = try #require(try run.train().scores.phases[0].sections.first)
            #expect(
                section.values.map(\.key)
                    == [1, 2].flatMap { k in
                        ["other-labels", "right-suggestions", "wrong-label-auc"].map {
                            "\($0).peer-\(k)"
                        }
                    })
            let lines = try String(
                contentsOfFile: scratch("run/phases/0-peers/columns.csv"), encoding: .utf8
            ).split(separator: "\n")
            #expect(
                lines[0]
                    == "peers.peer-1-suggested,peers.peer-1-target-of-given,peers.peer-2-suggested,"
                    + "peers.peer-2-target-of-given")
            let epochs = run.store.metrics(run.chain[0])
            #expect(epochs.compactMap { $0.terms["early-learning"] }.allSatisfy { $0 < 0 })
        }
    }

    @Test(arguments: ["", ", compat: true, refine-labels: true, ramp-steps: 5, decay-steps: 4"])
    func resumesToTheSameBytes(_ options: String) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe(
                "method={name: early-learning-plus\(options)}", "model.dropout=0.2")
            #expect(try Tiny.differences(afterStop: 5, of: recipe, scratch) == [])
            #expect(
                try Tiny.differences(
                    afterStop: 5, of: recipe, scratch, droppingRandomState: true
                ).contains("phases/0-peers/last.safetensors"))
        }
    }

    /// Batch norms of an average: its own statistics in `compat`, else those of the networks, averaged.
    @Test func batchNormsOfAverages() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            func counts(_ options: String) throws -> [Double] {
                let trainer = try trained(
                    ", decay: 0.5, decay-steps: 0\(options)", scratch,
                    "model={name: resnet8, width: 0.1}", "training.ema=0")
                let objective = try #require(trainer.objective as? EarlyLearningPlusObjective)
                return [objective.averages[0], trainer.learners[0].network].map { network in
                    network.state.first { $0.name.hasSuffix("num_batches_tracked") }!.tensor.item
                }
            }
            // Six steps, one forward pass each.
            #expect(try counts("") == [6, 6])
            #expect(try counts(", compat: true") == [6, 6])
        }
    }

    @Test(arguments: RobustData.allCases) func otherData(_ data: RobustData) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try data.recipe("{name: early-learning-plus}", scratch)
            #expect(try Tiny.differences(afterStop: 5, of: recipe, scratch) == [])
        }
    }

    @Test func refusals() throws {
        func said(_ options: String) -> String {
            failure { try Tiny.recipe("method={name: early-learning-plus, \(options)}") }
        }
        #expect(
            said("beta: 1")
                == "tiny, line 4, method.beta: value out of range: found 1.0, expected 0 <= beta < 1"
        )
        #expect(
            said("decay: 1")
                == "tiny, line 4, method.decay: value out of range: found 1.0, expected "
                + "0 <= decay < 1")
        #expect(
            said("ramp-steps: -1")
                == "tiny, line 4, method.ramp-steps: value out of range: found -1, expected 0 to "
                + "1000000000")
        #expect(said("alpha: 0").contains("expected 0.001 to 1000"))
        #expect(said("peers: 3").contains("expected 2 peers"))
    }

    @Test func optionsAreInTheKey() throws {
        func key(_ options: String) throws -> String {
            try Tiny.recipe("method={name: early-learning-plus\(options)}")
                .phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }[0].key
        }
        #expect(
            try key("")
                == key(
                    ", lambda: 3, beta: 0.7, alpha: 1, ramp-steps: 0, decay: 0.997, decay-steps: 40000"
                ))
        let others = [
            ", lambda: 1", ", beta: 0.9", ", alpha: 4", ", ramp-steps: 9", ", decay: 0.9",
            ", decay-steps: 0", ", refine-labels: true", ", compat: true",
        ]
        #expect(Set(try ([""] + others).map(key)).count == 9)
    }

    @Test func theExampleIsRead() throws {
        let recipe = try RecipeFile(path: Tiny.example("early-learning-plus.yaml"))
            .decoded(Recipe.self)
        #expect(recipe.method.base is EarlyLearningPlus)
        #expect(try RecipeFile(text: recipe.yaml, file: "again").decoded(Recipe.self) == recipe)
    }
}
