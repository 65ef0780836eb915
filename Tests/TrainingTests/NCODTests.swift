import Diagnostics
import Foundation
import TestSupport
import Testing
import Torch

@testable import Training

/// NCOD in training; its formulas by numbers are beside those of the losses.
@Suite(.serialized, .takesTurns) struct NCODTests {
    /// Features of every sample are known after an epoch, and centroids in the second one.
    @Test func whatIsKept() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(
                Tiny.recipe("method={name: ncod, learning-rate-u: 5}"), scratch("run"))
            let trainer = try PhaseTrainer(
                run.chain[0], data: run.data, folder: scratch("phase"), environment: .init()
            ) { _ in preconditionFailure("no earlier phase") }
            let objective = try #require(trainer.objective as? NCODObjective)
            try trainer.prepare()
            let result = try trainer.run()
            let lengths = objective.features.all.norm(-1).doubles()
            #expect(lengths.allSatisfy { abs($0 - 1) < 1e-4 || $0 == 0 })
            #expect(objective.features.all.shape == [170, 16])
            let centroids = objective.centroids.norm(-1).doubles()
            #expect(centroids.count == 10 && centroids.allSatisfy { abs($0 - 1) < 1e-4 })
            #expect(objective.u.all.doubles().contains { $0 > 0.01 })
            #expect(objective.state.map(\.name) == ["u", "features", "centroids"])
            let section = try #require(result.sections.first)
            #expect(section.values.map(\.key) == ["doubted", "wrong-label-auc"])
            let epochs = run.store.metrics(run.chain[0])
            #expect(epochs.isEmpty, "of another folder")
        }
    }

    @Test func whatIsLogged() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(Tiny.recipe("method={name: ncod}"), scratch("run"))
            _ = try run.train()
            let epochs = run.store.metrics(run.chain[0])
            #expect(epochs[0].metrics?["similarity"] == 1, "without centroids")
            let later = try #require(epochs[1].metrics?["similarity"])
            #expect(later > 0 && later < 1)
            let lines = try String(
                contentsOfFile: scratch("run/phases/0-student/columns.csv"), encoding: .utf8
            ).split(separator: "\n")
            #expect(lines[0] == "student.label-noise" && lines.count == 171)
        }
    }

    @Test func resumesToTheSameBytes() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe(
                "method={name: ncod, learning-rate-u: 5}", "model.dropout=0.2")
            for stop in [3, 5] {
                #expect(try Tiny.differences(afterStop: stop, of: recipe, scratch) == [])
            }
            #expect(
                try Tiny.differences(
                    afterStop: 5, of: recipe, scratch, droppingRandomState: true
                ).contains("phases/0-student/last.safetensors"))
        }
    }

    @Test(arguments: RobustData.allCases) func otherData(_ data: RobustData) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try data.recipe("{name: ncod}", scratch)
            #expect(try Tiny.differences(afterStop: 5, of: recipe, scratch) == [])
        }
    }

    @Test func refusals() throws {
        func said(_ options: String) -> String {
            failure { try Tiny.recipe("method={name: ncod, \(options)}") }
        }
        #expect(
            said("learning-rate-u: -1")
                == "tiny, line 4, method.learning-rate-u: value out of range: found -1.0, expected "
                + "0 or more")
        #expect(said("start: 2").contains("expected 0 to 1"))
        #expect(said("starts: 0").contains("did you mean \"start\"?"))
    }

    @Test func optionsAreInTheKey() throws {
        func key(_ options: String) throws -> String {
            try Tiny.recipe("method={name: ncod\(options)}")
                .phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }[0].key
        }
        #expect(try key("") == key(", learning-rate-u: 0.1, start: 1e-8"))
        #expect(Set(try ["", ", learning-rate-u: 1", ", start: 0.1"].map(key)).count == 3)
    }

    @Test func theExampleIsRead() throws {
        let recipe = try RecipeFile(path: Tiny.example("ncod.yaml")).decoded(Recipe.self)
        #expect(recipe.method.base is NCOD)
        #expect(try RecipeFile(text: recipe.yaml, file: "again").decoded(Recipe.self) == recipe)
    }
}
