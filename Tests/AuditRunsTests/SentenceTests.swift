import Audit
import Datasets
import Diagnostics
import Files
import Foundation
import TestSupport
import Testing
import Torch
import Training

@testable import AuditRuns

@Suite(.serialized, .takesTurns) struct AuditSentenceTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func write(_ name: String, _ text: String) throws -> String {
        try LocalFileSystem().replace(scratch(name), with: Array(text.utf8))
        return scratch(name)
    }

    @Test func recipesThatCannotBeAudited() throws {
        #expect(
            failure { try Tiny.audit(folds: 1) }
                == "--folds: value out of range: found 1, expected 2 to 50")
        #expect(
            failure { try Tiny.audit("search={optimizer.learning-rate: [0.1]}") }
                == "tiny.yaml, search: an audit takes one recipe: found a comparison or search, expected a "
                + "recipe that train takes")
        // Seen before anything is trained, and not in the second round.
        #expect(
            failure {
                try Tiny.audit("method={name: co-teaching, forget-rate: injected}").check()
            }.hasPrefix("tiny.yaml, line 5, method.forget-rate: "))
        #expect(
            failure { try Tiny.audit(folds: 50).check() } == "nothing thrown")
    }

    @Test func probabilitiesThatDoNotFit() throws {
        let audit = try Tiny.audit()
        let short = try write("short.csv", "a,b,c\n0.2,0.3,0.5\n")
        #expect(
            failure { try audit.judge(short) }
                == "\(short): not a row for each sample: found 1 rows, expected 330, one for each sample as "
                + "read")
        let two = try write(
            "two.csv", "a,b\n" + String(repeating: "0.5,0.5\n", count: 330))
        #expect(
            failure { try audit.judge(two) }
                == "\(two): not a column for each class: found 2 columns, expected 3")
    }

    /// Somebody's probabilities: nothing is trained, and a model that knows the truth finds the wrong labels.
    @Test func probabilitiesOfSomebody() throws {
        let audit = try Tiny.audit()
        let data = try PreparedData(audit.recipe).learning
        let truth = try #require(data.clean)
        let rows = truth.map { k in
            (0..<3).map { $0 == k ? "0.8" : "0.1" }.joined(separator: ",")
        }
        let path = try write("p.csv", "a,b,c\n" + rows.joined(separator: "\n"))
        let outcome = try audit.judge(path, asking: .init(length: 50))
        #expect(outcome.result.learning.listed == 50)
        #expect(outcome.result.source == .file(path))
        let measured = try #require(outcome.result.learning.measured)
        #expect(measured.precision == 1 && measured.area > 0.99)
        #expect(outcome.result.test?.count == 66)
        #expect(outcome.result.learning.model.injectedArea == nil)
        #expect(
            failure { try audit.judge(path, asking: .init(budget: 265)) }
                == "--budget: value out of range: found 265, expected 1 to 264, the samples that are judged"
        )
    }

    @Test func verdictsOfAPerson() throws {
        let audit = try Tiny.audit()
        let data = try PreparedData(audit.recipe).learning
        let truth = try #require(data.clean)
        let table = truth.map { k in
            (0..<3).map { $0 == k ? "0.8" : "0.1" }.joined(separator: ",")
        }
        let path = try write("p.csv", "a,b,c\n" + table.joined(separator: "\n"))
        let outcome = try audit.judge(path)
        var lines = Tiny.lines(outcome.sheet(count: 40, seed: 3))
        #expect(lines.count == 41 && lines[0] == "sample,given,verdict,label")
        let names = data.classNames
        var fixed = 0
        for i in 1...40 {
            let sample = Int(lines[i].split(separator: ",")[0])!
            let given = data.labels[sample]
            let isRight = given == truth[sample]
            if !isRight { fixed += 1 }
            lines[i] =
                "\(sample),\(names[given]),\(isRight ? "right" : "wrong"),"
                + (isRight ? "" : names[truth[sample]])
        }
        let sheet = try write("sheet.csv", lines.joined(separator: "\n"))
        #expect(outcome.hasVerdicts(sheet))
        let judged = try audit.judge(path, asking: .init(verdicts: sheet))
        let result = try #require(judged.result.sheet)
        #expect(result.rate.found == fixed && result.rate.drawn == 40)
        #expect(judged.known.count == 40)
        let pruned = Tiny.lines(try judged.file("labels-pruned.csv"))
        // What a person knows is not left out.
        for (sample, label) in judged.known {
            #expect(pruned.contains("\(sample),\(names[label])"))
        }
        let tested = try #require(outcome.result.test).rows.rows[0].sample
        let other = try write("other.csv", "sample,verdict\n\(tested),right\n")
        #expect(
            failure { try audit.judge(path, asking: .init(verdicts: other)) }
                == "\(other), sample \(tested): a verdict on a sample that is not judged (is the sheet of this "
                + "audit?)")
        let unknown = try write(
            "unknown.csv", "sample,verdict,label\n\(lines[1].split(separator: ",")[0]),wrong,cow\n")
        #expect(
            failure { try audit.judge(path, asking: .init(verdicts: unknown)) }
                .hasSuffix("no such class: found \"cow\", expected a class of the data"))
    }
}
