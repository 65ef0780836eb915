import Diagnostics
import Foundation
import TestSupport
import Testing
import Torch

@testable import Training

/// LCCN in training; its formulas by numbers are beside those of the losses.
@Suite(.serialized, .takesTurns) struct LCCNTests {
    private static let method = "{name: lccn, warm-up: 1, refresh: 2, weights: last}"

    /// Two phases: cross-entropy, which is the plain method's, then the network is trained on.
    @Test func phases() throws {
        func keys(_ method: String) throws -> [String] {
            try Tiny.recipe("method=\(method)")
                .phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }.map(\.key)
        }
        let own = try keys("{name: lccn}")
        #expect(own.count == 2)
        #expect(try own[0] == keys("{name: cross-entropy}")[0])
        let others = [
            ", alpha: 2", ", refresh: 3", ", warm-up: 1", ", weights: last",
        ]
        let students = try ([""] + others).map { try keys("{name: lccn\($0)}")[1] }
        #expect(Set(students).count == 5)
        #expect(
            try own[1]
                == keys("{name: lccn, alpha: 1, refresh: 200, warm-up: 20, weights: selected}")[1])
    }

    @Test func whatIsShown() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(Tiny.recipe("method=\(Self.method)"), scratch("run"))
            let result = try run.train().scores.phases[1]
            let section = try #require(result.sections.first)
            #expect(section.values.map(\.key) == ["other-labels", "right-suggestions"])
            #expect(section.values.allSatisfy { $0.value != nil })
            let lines = try String(
                contentsOfFile: scratch("run/phases/1-student/columns.csv"), encoding: .utf8
            ).split(separator: "\n")
            #expect(lines[0] == "student.suggested")
            let own = lines.dropFirst().compactMap { Int($0) }
            let (train, data) = (run.data.split.train, run.data.learning)
            let others = zip(own, train).count { $0 != data.labels[$1] }
            #expect(
                abs((section.values[0].value ?? -1) - Double(others) / Double(train.count)) < 1e-12)
            let epochs = run.store.metrics(run.chain[1])
            #expect(epochs.compactMap { $0.metrics?["given-classes"] }.count == 2)
        }
    }

    /// Stopped at the beginning of the second phase and inside its second epoch.
    @Test func resumesToTheSameBytes() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe("method=\(Self.method)", "model.dropout=0.2")
            for stop in [5, 7, 11] {
                #expect(try Tiny.differences(afterStop: stop, of: recipe, scratch) == [])
            }
            #expect(
                try Tiny.differences(
                    afterStop: 11, of: recipe, scratch, droppingRandomState: true
                ).contains("phases/1-student/last.safetensors"))
        }
    }

    @Test(arguments: RobustData.allCases) func otherData(_ data: RobustData) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try data.recipe(Self.method, scratch)
            #expect(
                try Tiny.differences(afterStop: data == .table ? 25 : 13, of: recipe, scratch) == []
            )
        }
    }

    @Test func refusals() throws {
        func said(_ options: String) -> String {
            failure { try Tiny.recipe("method={name: lccn, \(options)}") }
        }
        #expect(
            said("alpha: 0")
                == "tiny, line 4, method.alpha: value out of range: found 0.0, expected above 0")
        #expect(said("refresh: 0").contains("expected 1 to 1000000000"))
        #expect(said("warm-up: -1").contains("expected 0 to 100000"))
        #expect(
            failure { try Tiny.recipe("method={name: lccn, weights: ema-last}", "training.ema=0") }
                == "tiny, line 6, training.ema: value out of range: found 0 with weights ema-last, "
                + "expected above 0")
    }

    @Test func theExampleIsRead() throws {
        let recipe = try RecipeFile(path: Tiny.example("lccn.yaml")).decoded(Recipe.self)
        #expect(recipe.method.base is LCCN)
        #expect(try RecipeFile(text: recipe.yaml, file: "again").decoded(Recipe.self) == recipe)
    }
}
