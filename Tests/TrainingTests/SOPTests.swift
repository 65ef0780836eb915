import Diagnostics
import Foundation
import SafeTensors
import TestSupport
import Testing
import Torch

@testable import Training

/// SOP in training; its formulas by numbers are beside those of the losses.
@Suite(.serialized, .takesTurns) struct SOPTests {
    /// With u and v that do not move and almost nothing in them it is cross-entropy, but for the clip of q.
    @Test func withoutRatesItIsCrossEntropy() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let plain = try Tiny.run(Tiny.recipe("model.dropout=0.2"), scratch("plain"))
            let still = try Tiny.run(
                Tiny.recipe(
                    "model.dropout=0.2",
                    "method={name: sop, learning-rate-u: 0, learning-rate-v: 0}"), scratch("still"))
            let (a, b) = (try plain.train().scores.phases[0], try still.train().scores.phases[0])
            let (own, other) = (a.student.last.test, b.student.last.test)
            #expect(abs(own.nll - other.nll) < 1e-3 && abs(own.accuracy - other.accuracy) < 0.02)
        }
    }

    /// u and v move in every row of an epoch, and grow from almost nothing.
    @Test func noiseIsTakenUp() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                Tiny.recipe(
                    "method={name: sop, start: 0.1, learning-rate-u: 30, learning-rate-v: 30}",
                    "training.epochs=4"), scratch("run"))
            let trainer = try PhaseTrainer(
                run.chain[0], data: run.data, folder: scratch("phase"), environment: .init()
            ) { _ in preconditionFailure("no earlier phase") }
            let objective = try #require(trainer.objective as? SOPObjective)
            let before = (objective.u[0].all.doubles(), objective.v[0].all.doubles())
            #expect(Set(before.0).count == before.0.count, "drawn, one by one")
            try trainer.prepare()
            _ = try trainer.run()
            let after = objective.u[0].all.doubles()
            #expect(zip(before.0, after).allSatisfy { $0 != $1 })
            #expect(objective.state.map(\.name) == ["u.0", "v.0"])
            #expect(objective.v[0].all.dtype == .float32)
            func squares(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 } }
            #expect(squares(objective.v[0].all.doubles()) > squares(before.1))
        }
    }

    @Test func whatTheNoiseSays() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                Tiny.recipe("method={name: sop, start: 0.1, learning-rate-u: 30}"), scratch("run"))
            let result = try run.train().scores.phases[0]
            let section = try #require(result.sections.first)
            #expect(
                section.values.map(\.key) == [
                    "other-labels.student", "right-suggestions.student", "wrong-label-auc.student",
                ])
            #expect(section.values.allSatisfy { $0.value != nil })
            let lines = try String(
                contentsOfFile: scratch("run/phases/0-student/columns.csv"), encoding: .utf8
            ).split(separator: "\n")
            #expect(lines[0] == "student.label-noise,student.suggested")
            let rows = lines.dropFirst().map { $0.split(separator: ",") }
            #expect(rows.compactMap { Double($0[0]) }.allSatisfy { (0...1).contains($0) })
            let (train, data) = (run.data.split.train, run.data.learning)
            let kept = zip(rows, train).count { Int($0[1]) == data.labels[$1] }
            let others = try #require(section.values[0].value)
            #expect(abs(others - 1 + Double(kept) / Double(train.count)) < 1e-12)
        }
    }

    private static let plus =
        "{name: sop, start: 0.01, consistency: 0.9, balance: 0.1, views: {noise: 0.3, drop: 0.2}}"

    @Test(arguments: ["{name: sop, start: 0.01}", SOPTests.plus])
    func resumesToTheSameBytes(_ method: String) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe("method=\(method)", "model.dropout=0.2")
            #expect(try Tiny.differences(afterStop: 5, of: recipe, scratch) == [])
            #expect(
                try Tiny.differences(
                    afterStop: 5, of: recipe, scratch, droppingRandomState: true
                ).contains("phases/0-student/last.safetensors"))
        }
    }

    /// On a table and on texts, with two views.
    @Test(arguments: RobustData.allCases) func otherData(_ data: RobustData) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try data.recipe(Self.plus, scratch)
            #expect(try Tiny.differences(afterStop: 5, of: recipe, scratch) == [])
        }
    }

    /// The second view is another one than the first.
    @Test func twoViewsDiffer() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            for data in RobustData.allCases {
                let run = try Tiny.run(data.recipe(Self.plus, scratch), scratch("\(data)"))
                let trainer = try PhaseTrainer(
                    run.chain[0], data: run.data, folder: scratch("phase"), environment: .init()
                ) { _ in preconditionFailure("no earlier phase") }
                guard case .plan(let plan) = trainer.batches else { fatalError("a plan") }
                let plain = try trainer.context.plan().batch(epoch: 0, step: 0)
                let batch = trainer.labelled(
                    plan.batch(epoch: 0, step: 0), for: trainer.learners[0])
                #expect(batch.views.count == 2)
                #expect(batch.views[0].floats() == plain.features)
                #expect(batch.views[1].floats() != plain.features)
            }
        }
    }

    @Test func refusals() throws {
        func said(_ options: String) -> String {
            failure { try Tiny.recipe("method={name: sop, \(options)}") }
        }
        #expect(
            said("learning-rate-u: -1")
                == "tiny, line 4, method.learning-rate-u: value out of range: found -1.0, "
                + "expected 0 or more")
        #expect(
            said("start: 0")
                == "tiny, line 4, method.start: value out of range: found 0.0, expected above 0 and "
                + "at most 1")
        #expect(
            said("consistency: 0.9, views: {drop: 1}")
                == "tiny, line 4, method.views.drop: value out of range: found 1.0, expected 0 to "
                + "below 1")
        #expect(
            said("views: {drop: 0.5}")
                == "tiny, line 4, method.views: value out of range: found views with consistency 0, "
                + "expected a consistency above 0")
        #expect(said("consistency: 0.9, views: {paddin: 1}").contains("did you mean \"padding\"?"))
    }

    @Test func optionsAreInTheKey() throws {
        func key(_ options: String) throws -> String {
            try Tiny.recipe("method={name: sop\(options)}")
                .phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }[0].key
        }
        #expect(
            try key("")
                == key(", learning-rate-u: 1, learning-rate-v: 10, start: 1e-8, balance: 0"))
        let others = [
            ", learning-rate-u: 2", ", learning-rate-v: 2", ", start: 1e-4", ", balance: 0.1",
            ", consistency: 0.9", ", consistency: 0.9, views: {noise: 0.3}",
        ]
        #expect(Set(try ([""] + others).map(key)).count == 7)
    }

    @Test func theExampleIsRead() throws {
        let recipe = try RecipeFile(path: Tiny.example("sop.yaml")).decoded(Recipe.self)
        #expect((recipe.method.base as? SOP)?.options.consistency == 0.9)
        #expect(try RecipeFile(text: recipe.yaml, file: "again").decoded(Recipe.self) == recipe)
    }
}
