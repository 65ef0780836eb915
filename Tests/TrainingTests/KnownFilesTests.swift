import Diagnostics
import Files
import Foundation
import TestSupport
import Testing

@testable import Training

/// Files that every cell of a comparison needs are read once.
@Suite(.serialized, .takesTurns) struct KnownFilesTests {
    /// Writes in place, as if it had been `age` seconds ago.
    private func write(_ text: String, to path: String, age: Double) throws {
        try LocalFileSystem().write(Array(text.utf8), to: path)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: path)
    }

    @Test func whatHasNotChangedIsReadOnce() throws {
        let scratch = try Scratch()
        let (path, files) = (scratch("a.txt"), KnownFiles())
        try write("one", to: path, age: 100)
        let first = try fileHash(path)
        for _ in 0..<3 { #expect(try files.hash(of: path) == first) }
        #expect(files.reads(of: path) == 1)
    }

    @Test func whatHasChangedIsReadAgain() throws {
        let scratch = try Scratch()
        let (path, files) = (scratch("a.txt"), KnownFiles())
        try write("one", to: path, age: 100)
        _ = try files.hash(of: path)
        // Another time, another size, another file of that name with the same time and size.
        let changes = [("two", 50.0), ("three", 50), ("seven", 50)]
        for (i, (text, age)) in changes.enumerated() {
            if text == "seven" {
                let date = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate]
                try LocalFileSystem().write(Array(text.utf8), to: scratch("b.txt"))
                try FileManager.default.setAttributes(
                    [.modificationDate: try #require(date)], ofItemAtPath: scratch("b.txt"))
                try LocalFileSystem().rename(scratch("b.txt"), to: path)
            } else {
                try write(text, to: path, age: age)
            }
            for _ in 0..<2 { #expect(try files.hash(of: path) == fileHash(path), "\(text)") }
            #expect(files.reads(of: path) == i + 2, "\(text)")
        }
        try LocalFileSystem().remove(path)
        #expect(failure { try files.hash(of: path) }.contains("No such file"))
    }

    /// A second write within the clock's tick would leave size and time as they are.
    @Test func whatIsNewIsReadEveryTime() throws {
        let scratch = try Scratch()
        let (path, files) = (scratch("a.txt"), KnownFiles())
        try LocalFileSystem().write(Array("one".utf8), to: path)
        _ = try files.hash(of: path)
        try LocalFileSystem().write(Array("two".utf8), to: path)
        #expect(try files.hash(of: path) == fileHash(path))
        #expect(files.reads(of: path) == 2)
    }

    @Test func aComparisonReadsItsTeacherOnce() throws {
        let scratch = try Scratch()
        let run = try Tiny.run(Tiny.recipe("training.epochs=1"), scratch("teacher"))
        _ = try run.train()
        let path = scratch("teacher/model.safetensors")
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -100)], ofItemAtPath: path)
        let text =
            Tiny.text.replacing("method: {name: cross-entropy}\n", with: "")
                + """

                seeds: [0, 1]
                noises: [{kind: none}, {kind: symmetric, rate: 0.2}]
                rows:
                - name: one
                  method: {name: distillation, teacher: {model: {name: mlp, hidden: [16]}, file: "\(path)"}}
                  search: {optimizer.learning-rate: [0.01, 0.02]}
                - name: another
                  method:
                    name: distillation
                    temperature: 2
                    teacher: {model: {name: mlp, hidden: [16]}, file: "\(path)"}
                """
        let comparison = try Comparison(
            ComparisonFile([RecipeFile(text: text, file: "table")]), folder: scratch("table"),
            compute: { _ in Tiny.compute }, threads: 1, workers: 1)
        #expect(try comparison.plannedPhases() == 12)
        // Its hash and its card.
        #expect(KnownFiles.shared.reads(of: path) == 2)
    }
}
