import Diagnostics
import Foundation
import TestSupport
import Testing
import Torch

@testable import Training

/// DLT in training; its threshold by numbers is beside the losses.
@Suite(.serialized, .takesTurns) struct DLTTests {
    private static let method = "{name: dlt, warm-up: 1, rate: 0.3, ramp: 2}"

    private func recipe(_ method: String = DLTTests.method, _ changes: String...) throws -> Recipe {
        var file = try RecipeFile(text: Tiny.text, file: "tiny")
        for change in ["method=\(method)", "training.epochs=4"] + changes {
            file = try file.setting(change)
        }
        return try file.decoded(Recipe.self)
    }

    private func columns(_ folder: String) throws -> (head: String, rows: [[Substring]]) {
        let lines = try String(
            contentsOfFile: "\(folder)/phases/0-student/columns.csv", encoding: .utf8
        ).split(separator: "\n")
        return (
            String(lines[0]),
            lines.dropFirst().map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        )
    }

    /// 170 samples: all of them, all of them mixed, then 15 % and 30 % without their labels.
    @Test func theThresholdMoves() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(recipe(), scratch("run"))
            let result = try run.train().scores.phases[0]
            let epochs = run.store.metrics(run.chain[0])
            #expect(epochs.map(\.step) == [3, 6, 9, 11])
            #expect(epochs.map { $0.metrics?["labelled"] } == [nil, 1, 144 / 170.0, 119 / 170.0])
            #expect(epochs[0].terms.keys.sorted() == ["cross-entropy"])
            #expect(epochs[1].terms.keys.sorted() == ["cross-entropy", "prior"])
            #expect(epochs[3].terms.keys.sorted() == ["cross-entropy", "prior", "unlabelled"])
            let threshold = try #require(epochs[3].metrics?["threshold"])
            let (head, rows) = try columns(scratch("run"))
            #expect(head == "student.loss,student.suggested,student.trusted")
            #expect(rows.count == 170 && rows.count { $0[2] == "1" } == 119)
            for row in rows {
                let loss = try #require(Double(row[0]))
                #expect((loss <= threshold * (1 + 1e-5)) == (row[2] == "1"), "\(loss)")
            }
            let section = try #require(result.sections.first)
            #expect(section.title == "Loss threshold (DLT, reconstruction)")
            #expect(
                section.values.map(\.key) == [
                    "labelled", "label-precision", "right-suggestions", "wrong-label-auc",
                ])
            #expect(section.values.allSatisfy { $0.value != nil })
            #expect(section.values[0].value == 119 / 170.0)
            // What is trusted is suggested; some of the rest is guessed.
            let given = run.data.split.train.map { "\(run.data.learning.labels[$0])" }
            let others = zip(rows, given).filter { $0[1] != $1 }
            #expect(!others.isEmpty && others.allSatisfy { $0.0[2] == "0" })
        }
    }

    /// A network that does not learn has the same losses in every epoch, and so the same average: the start of
    /// the average at 0 has no part in it.
    @Test func averagesOfLosses() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            func losses(_ beta: Double, _ rate: String) throws -> [Double] {
                let folder = scratch("run-\(beta)-\(rate)")
                let method = "{name: dlt, warm-up: 3, rate: 0.3, ramp: 1, beta: \(beta)}"
                let run = try Tiny.run(recipe(method, "optimizer.learning-rate=\(rate)"), folder)
                _ = try run.train()
                return try columns(folder).rows.compactMap { Double($0[0]) }
            }
            let still = try losses(0, "1e-12")
            #expect(still.count == 170 && still.allSatisfy { $0 > 0 })
            try expectClose(try losses(0.9, "1e-12"), still, 1e-4)
            // The warm-up's losses count: they are larger than the newest.
            let newest = try losses(0, "0.05").reduce(0, +)
            #expect(try losses(0.9, "0.05").reduce(0, +) > newest * 1.01)
        }
    }

    /// Guessing leaves the statistics of batch norms alone: one forward pass a step.
    @Test func guessingHasNoSideEffects() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try recipe(
                Self.method, "model={name: resnet8, width: 0.1}", "training.ema=0")
            let run = try Tiny.run(recipe, scratch("run"))
            let trainer = try PhaseTrainer(
                run.chain[0], data: run.data, folder: scratch("phase"), environment: .init()
            ) { _ in preconditionFailure("no earlier phase") }
            try trainer.prepare()
            _ = try trainer.run()
            let batches = trainer.learners[0].network.state.first {
                $0.name.hasSuffix("num_batches_tracked")
            }
            #expect(batches?.tensor.item == 11)
        }
    }

    /// Stopped in the warm-up, before and inside divided epochs, and at their ends.
    @Test(arguments: [2, 3, 5, 8, 9, 10]) func resumesToTheSameBytes(_ stop: Int) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try recipe(Self.method, "model.dropout=0.2")
            #expect(try Tiny.differences(afterStop: stop, of: recipe, scratch) == [])
        }
    }

    @Test func otherRandomNumbersEndInOtherBytes() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            #expect(
                try Tiny.differences(
                    afterStop: 7, of: recipe(), scratch, droppingRandomState: true
                ).contains("phases/0-student/last.safetensors"))
        }
    }

    @Test(arguments: RobustData.allCases, ["", ", per-class: true, beta: 0"])
    func otherData(_ data: RobustData, _ options: String) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try data.recipe(
                "{name: dlt, warm-up: 1, rate: injected, ramp: 1\(options)}", scratch,
                "training.epochs=3")
            #expect(
                try Tiny.differences(afterStop: data == .table ? 24 : 9, of: recipe, scratch) == []
            )
        }
    }

    @Test func refusals() throws {
        func said(_ options: String) -> String {
            failure { try Tiny.recipe("method={name: dlt, \(options)}").checked(as: "tiny") }
        }
        #expect(
            said("warm-up: 0")
                == "tiny, line 4, method.warm-up: value out of range: found 0, expected 1 to 100000"
        )
        #expect(
            said("warm-up: 2").hasSuffix(
                "method.warm-up: value out of range: found 2, expected fewer than the 2 epochs of "
                    + "training"))
        #expect(
            said("rate: 1")
                == "tiny, line 4, method.rate: value out of range: found 1.0, expected 0 <= rate < 1"
        )
        #expect(said("beta: 1").contains("expected 0 <= beta < 1"))
        #expect(said("ramp: 0").contains("expected 1 to 100000"))
        #expect(said("temperature: 0").contains("expected above 0 and at most 1"))
        #expect(said("alpha: 0").contains("expected 0.001 to 1000"))
        #expect(said("unlabelled-weight: -1").contains("expected 0 or more"))
        #expect(said("warm-up: 1, rates: 0.1").contains("did you mean \"rate\"?"))
    }

    /// As for co-teaching, under its own key.
    @Test func theRateHasToBeKnown() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let unknown = try recipe(
                "{name: dlt, warm-up: 1, rate: injected}", "noise={kind: none}")
            #expect(
                failure { try Tiny.run(unknown, scratch("run")) }
                    == "method.rate: the noise rate is not known: found noise kind none, expected "
                    + "the share of labels that are wrong (only the rate of injected noise is taken "
                    + "from the recipe; auto estimates one)")
            func rate(_ rate: String) throws -> Double {
                let run = try Tiny.run(
                    recipe("{name: dlt, warm-up: 1, rate: \(rate)}"), scratch(rate))
                let trainer = try PhaseTrainer(
                    run.chain[0], data: run.data, folder: scratch("phase"), environment: .init()
                ) { _ in preconditionFailure("no earlier phase") }
                return try #require(trainer.objective as? DLTObjective).rate
            }
            #expect(abs(try rate("injected") - 0.3) < 1e-12)
            #expect(try rate("0.1") == 0.1)
            let auto = try recipe("{name: dlt, warm-up: 1}")
                .phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }
            #expect(auto.map(\.name) == (1...5).map { "fold-\($0)" } + ["student"])
            #expect(auto[5].neededKeys == Set(auto.prefix(5).map(\.key)))
        }
    }

    @Test func optionsAreInTheKey() throws {
        func key(_ options: String) throws -> String {
            try Tiny.recipe("training.epochs=40", "method={name: dlt\(options)}")
                .phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }.last!.key
        }
        #expect(try key("") == key(", warm-up: 10, ramp: 10, beta: 0.9, unlabelled-weight: 25"))
        let others = [
            ", warm-up: 5", ", rate: 0.3", ", ramp: 5", ", beta: 0.5", ", per-class: true",
            ", unlabelled-weight: 0", ", temperature: 1", ", alpha: 1", ", views: {noise: 0.2}",
        ]
        #expect(Set(try ([""] + others).map(key)).count == 10)
    }

    @Test func theExampleIsRead() throws {
        let recipe = try RecipeFile(path: Tiny.example("dlt.yaml")).decoded(Recipe.self)
        #expect(recipe.method.base is DLT)
        #expect(try RecipeFile(text: recipe.yaml, file: "again").decoded(Recipe.self) == recipe)
    }
}
