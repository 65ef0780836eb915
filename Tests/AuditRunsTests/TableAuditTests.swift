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

/// Tables without a recipe.
@Suite(.serialized, .takesTurns) struct TableAuditTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func write(_ name: String, _ text: String) throws -> String {
        try LocalFileSystem().replace(scratch(name), with: Array(text.utf8))
        return scratch(name)
    }

    /// Two clusters; every tenth label is the other one's. Three annotators, the last of whom errs more often.
    private func rows(_ count: Int, annotators: Bool = false) -> [String] {
        (0..<count).map { i in
            let (kind, wrong) = (i % 2, i % 10 == 3)
            let x = Double(kind) * 4 + Double((i * 37) % 23) / 10
            let y = Double((i * 53) % 29) / 10
            func word(_ isWrong: Bool) -> String { (kind == 1) != isWrong ? "right;way" : "left" }
            let labels =
                annotators
                ? [word(wrong), i % 5 == 0 ? "" : word(i % 20 == 7), word(i % 4 == 1)]
                : [word(wrong)]
            return (["n\(i)", "\(x)", "\(y)"] + labels).joined(separator: ",")
        }
    }

    @Test func everyRowIsJudged() throws {
        let path = try write(
            "t.csv", (["who,x,y,kind"] + rows(200)).joined(separator: "\n"))
        let table = try TableAudit(path, .init(label: "kind", id: "who"))
        let folder = scratch("audit")
        for (name, bytes) in table.files() {
            try LocalFileSystem().createDirectory(folder)
            try LocalFileSystem().replace("\(folder)/\(name)", with: bytes)
        }
        let own = try table.recipe(folder: folder, name: "t", method: "early-learning")
            .setting("training.epochs=4")
        let audit = try LabelAudit(
            try TableAudit.judgingAll(own, folder: folder), folds: 3, table: table)
        let outcome = try audit.run(in: folder, train: Tiny.train)
        let learning = outcome.result.learning
        #expect(learning.count == 200 && outcome.result.test == nil)
        #expect(outcome.result.warnings.isEmpty, "\(outcome.result.warnings)")
        let wrong = learning.rows.rows.prefix(20).count { $0.sample % 10 == 3 }
        #expect(wrong >= 18)
        #expect(Tiny.lines(try outcome.file("audit.csv"))[0].hasPrefix("sample,id,split,given"))
        // The user's own recipe has a test split as usual.
        let recipe = try own.decoded(Recipe.self)
        #expect(try PreparedData(recipe).testMembers.count == 40)
        let corrected = Tiny.lines(table.corrected([3: "right;way"], without: [0]))
        #expect(corrected.count == 200 && corrected[3] == "n3,5.9,1.4,right;way")
        #expect(corrected[0] == "who,x,y,kind" && corrected[1].hasPrefix("n1,"))
    }

    @Test func annotatorsAreJudgedByTheirConsensus() throws {
        let path = try write(
            "t.csv",
            (["who,x,y,ann,bob,eve"] + rows(200, annotators: true)).joined(separator: "\n"))
        let table = try TableAudit(
            path, .init(annotators: ["ann", "bob", "eve"], id: "who"))
        let folder = scratch("audit")
        try LocalFileSystem().createDirectory(folder)
        for (name, bytes) in table.files() {
            try LocalFileSystem().replace("\(folder)/\(name)", with: bytes)
        }
        let own = try table.recipe(folder: folder, name: "t", method: "early-learning")
            .setting("training.epochs=3")
        let audit = try LabelAudit(
            try TableAudit.judgingAll(own, folder: folder), folds: 2, table: table)
        let outcome = try audit.run(in: folder, train: Tiny.train)
        let annotators = outcome.result.annotators
        #expect(annotators.map(\.name) == ["ann", "bob", "eve"])
        #expect(annotators.map(\.labels) == [200, 160, 200])
        #expect(annotators[1].quality > annotators[2].quality)
        #expect(outcome.result.learning.count == 200)
        let corrected = Tiny.lines(table.corrected([3: "left"], without: []))
        #expect(corrected[0] == "who,x,y,ann,bob,eve,consensus")
        #expect(corrected[4].hasSuffix(",left"))
    }

    @Test func tablesOfTextAndOtherDelimiters() throws {
        let path = try write(
            "t.txt", "words;kind\n\"a;b \"\"c\"\"\";x\nplain, with comma;y\n")
        let table = try TableAudit(path, .init(label: "-1", text: "words"))
        #expect(table.table.delimiter == .semicolon)
        #expect(table.table.rows[0] == ["a;b \"c\"", "x"])
        #expect(
            Tiny.lines(table.corrected([1: "x"], without: [])) == [
                "words;kind", "\"a;b \"\"c\"\"\";x", "\"plain, with comma\";x",
            ])
        let recipe = try table.recipe(
            folder: "out", name: "texts", method: "early-learning"
        ).decoded(Recipe.self)
        #expect(recipe.model.name == "fasttext" && recipe.data.kind == "text")
    }

    @Test func columnsThatAreNotThere() throws {
        let path = try write("t.csv", "x,kind\n1,a\n2,b\n3,\n")
        #expect(
            failure { try TableAudit(path, .init(label: "knd")) }
                == "\(path), --label: no such column: found \"knd\", expected x, kind (is it \"kind\"?)"
        )
        #expect(
            failure { try TableAudit(path, .init()) }
                == "\(path), line 4: a row without a label (leave the row out: there is nothing to audit)"
        )
        #expect(
            failure { try TableAudit(path, .init(annotators: ["kind"])) }
                == "--annotators: wrong value: found \"kind\", expected two different columns or more, "
                + "separated by commas")
        #expect(
            failure { try TableAudit(path, .init(label: "x", annotators: ["x", "kind"])) }
                == "--label and --annotators contradict each other (with several annotators their consensus is "
                + "the label)")
        let cut = try write("cut.csv", "x,kind\n1\n")
        #expect(
            failure { try TableAudit(cut, .init()) }
                == "\(cut), line 2: wrong number of cells: found 1, expected 2, as in the first line"
        )
    }
}
