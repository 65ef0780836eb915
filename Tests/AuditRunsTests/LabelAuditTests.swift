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

/// Recipes that are audited by folds of their own.
@Suite(.serialized, .takesTurns) struct LabelAuditTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func wrongLabelsStandFirst() throws {
        let audit = try Tiny.audit()
        let folder = scratch("audit")
        let outcome = try audit.run(
            in: folder, asking: .init(budget: 20), train: Tiny.train)
        let result = outcome.result
        let learning = result.learning
        // A fifth of the 330 is the test split, the rest is judged.
        #expect(learning.count == 264 && result.test?.count == 66)
        #expect(!learning.usefulness.isUseless)
        let measured = try #require(learning.measured)
        #expect(measured.area > 0.85, "\(measured)")
        #expect(measured.f1 > 0.7, "\(measured)")
        #expect(learning.expected != nil)
        #expect(abs((learning.trueRate ?? 0) - 0.3) < 0.08)
        // Test labels of injected noise are right.
        #expect(result.test?.trueRate == 0)
        #expect((result.testAccuracy?.all ?? 0) > 0.7)
        let names = learning.rows.evidenceNames
        for name in [
            "posterior", "neighbours-differ", "learning-margin", "otherwise-predicted-early",
            "target-elsewhere",
        ] {
            // More of it speaks for a wrong label.
            let column = try #require(names.firstIndex(of: name), "\(name) in \(names)")
            let area = try #require(learning.evidenceAreas?[column])
            #expect(area > 0.7, "\(name): \(area)")
        }
        #expect(learning.model.weights.count == names.count)
        #expect((learning.model.injectedArea ?? 0) > 0.8)
        // What is known of a sample while it is learnt comes of the folds that learnt from it.
        let column = try #require(names.firstIndex(of: "learning-margin"))
        #expect(learning.rows.rows.count { $0.evidence[column].isNaN } < 20)
        #expect(result.budget?.order.count == 20 && result.budget?.byWorth.count == 21)

        // Every judged sample has a row, those of the test split behind.
        let table = Tiny.lines(try outcome.file("audit.csv"))
        #expect(table.count == 1 + 330)
        #expect(table.suffix(66).allSatisfy { $0.contains(",test,") })
        #expect(Tiny.lines(try outcome.file("budget.csv")).count == 21)

        // Labels are read back, and none is one of the test split.
        try LocalFileSystem().replace(
            scratch("labels.csv"), with: try outcome.file("labels-corrected.csv"))
        let edits = try LabelEdits(
            SampleFileOptions(file: scratch("labels.csv")), for: outcome.data)
        #expect(edits.labels.count == learning.listed && edits.leftOut.isEmpty)
        let tested = Set(result.test?.rows.rows.map(\.sample) ?? [])
        #expect(tested.isDisjoint(with: edits.labels.keys))
        let again = try RecipeFile(text: Tiny.recipe, file: "tiny")
            .setting("labels.file", word: scratch("labels.csv")).decoded(Recipe.self)
        let prepared = try PreparedData(again)
        let rate = try #require(prepared.noise.realisedRate)
        #expect(rate < (learning.trueRate ?? 0) - 0.1)

        // Run again, nothing is trained, and nothing is another.
        var trained = 0
        let second = try audit.run(in: folder) { rows, folder in
            let before = try FileManager.default.subpathsOfDirectory(atPath: folder).sorted()
            let record = try Tiny.train(rows, folder)
            let after = try FileManager.default.subpathsOfDirectory(atPath: folder).sorted()
            if before != after { trained += 1 }
            return record
        }
        #expect(trained == 0)
        #expect(try second.file("audit.csv") == outcome.file("audit.csv"))
    }

    /// Labels that are random say nothing: no list, no second round.
    @Test func uselessNetworksListNothing() throws {
        let audit = try Tiny.audit(
            "data={kind: gaussian-classes, samples: 330, classes: 3, features: 6, separation: 0.001}",
            "training.epochs=2")
        var rounds: [String] = []
        let outcome = try audit.run(in: scratch("useless")) { rows, folder in
            rounds.append(folder)
            return try Tiny.train(rows, folder)
        }
        let learning = outcome.result.learning
        #expect(learning.usefulness.isUseless && learning.listed == 0)
        #expect(rounds.count == 1)
        #expect(learning.rows.rows.count == 264)
        #expect(Tiny.lines(try outcome.file("labels.csv")).count == 1)
    }

    /// A label file of the recipe's own goes before the changes, and what it leaves out is not judged.
    @Test func anotherLabelFileIsKept() throws {
        let plain = try AuditSamples(try Tiny.audit().recipe, files: DataFiles())
        let (left, edited) = (plain.learning.rows[3], plain.learning.rows[5])
        let label = (plain.learning.labels[5] + 1) % 3
        try LocalFileSystem().replace(
            scratch("own.csv"), with: Array("sample,label\n\(left),\n\(edited),\(label)\n".utf8))
        let file = try Tiny.file(["training.epochs=3"]).setting(
            "labels.file", word: scratch("own.csv"))
        let audit = try LabelAudit(file, folds: 2)
        let outcome = try audit.run(in: scratch("audit"), train: Tiny.train)
        let rows = outcome.result.learning.rows.rows
        #expect(rows.count == 263 && !rows.contains { $0.sample == left })
        #expect(rows.first { $0.sample == edited }?.given == label)
        let injected = try readFile(scratch("audit/injected-labels.csv"))
        let names = plain.classNames
        #expect(Tiny.lines(injected).contains("\(left),"))
        #expect(
            Tiny.lines(injected).contains { $0.hasPrefix("\(edited),") }, "\(names[label])")
        for name in ["labels.csv", "labels-pruned.csv", "labels-posterior.csv"] {
            #expect(Tiny.lines(try outcome.file(name)).contains("\(left),"), "\(name)")
        }
    }

    @Test func noLabelOfTheTestSplitIsChanged() throws {
        let audit = try Tiny.audit()
        let samples = try AuditSamples(audit.recipe, files: DataFiles())
        let tested = Set(try #require(samples.test).rows)
        let injection = LabelInjection(
            samples.learning.data.labels, among: samples.learning.rows,
            transition: [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]], seed: 1)
        #expect(tested.isDisjoint(with: injection.changed) && !injection.changed.isEmpty)
        #expect(tested.isDisjoint(with: samples.learning.rows))
        #expect(tested.count + samples.learning.rows.count == 330)
    }

    /// Samples of the rare class are judged too, and a class of one sample.
    @Test(arguments: [2, 4])
    func oddClasses(folds: Int) throws {
        var rows = ["x,y,kind"]
        for i in 0..<120 {
            let side = i % 2
            let jitter = Double((i * 37) % 19) / 10
            rows.append(
                "\(Double(side) * 5 + jitter),\(Double((i * 13) % 7)),\(side == 0 ? "a" : "b")")
        }
        rows.append("99,99,lonely")
        try LocalFileSystem().replace(
            scratch("odd.csv"), with: Array(rows.joined(separator: "\n").utf8))
        let audit = try LabelAudit(
            try Tiny.file(["noise=null", "training.epochs=3"])
                .setting("data={kind: csv, label: kind}")
                .setting("data.path", word: scratch("odd.csv")), folds: folds)
        let said = failure { try audit.check() }
        if said != "nothing thrown" {
            #expect(said.contains("lonely"), "\(said)")
            return
        }
        let outcome = try audit.run(in: scratch("odd-\(folds)"), train: Tiny.train)
        #expect(outcome.result.learning.count + (outcome.result.test?.count ?? 0) == 121)
    }
}
