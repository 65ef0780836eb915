import Diagnostics
import Files
import Foundation
import Testing

@testable import Datasets

struct NoiseFileTests {
    let names = ["cat", "dog", "owl, snowy"]

    func labels(_ text: String, clean: [Int] = [0, 1, 2], ids: [Int]? = nil) throws -> [Int] {
        try withFile(Array(text.utf8)) { path in
            try LabelNoise(.file, path: path).apply(
                labels: clean, classCount: 3, classNames: names, ids: ids, seed: 1
            ).labels
        }
    }

    @Test(arguments: [
        "label\ndog\ncat\n\"owl, snowy\"\n", "label\r\ndog\r\ncat\r\n\"owl, snowy\"\r\n",
        "label\n1\n0\n2", "index,label\n2,2\n0,1\n1,0\n",
        "given , index\ndog,0\n cat , 1\n\"owl, snowy\",2\n\n\n",
        "\u{feff}Index,Given,Clean\n0,dog,cat\n1,cat,dog\n2,\"owl, snowy\",\"owl, snowy\"\n \n",
        "\"label\"\n\"dog\"\n\"cat\" \n\"owl, snowy\"\r\n",
        // Clean labels that nobody knows are empty.
        "index,given,clean\n0,1,\n1,0,1\n2,2,\n",
    ])
    func shapes(_ text: String) throws {
        #expect(try labels(text) == [1, 0, 2])
    }

    @Test func indexMeansTheSamplesId() throws {
        #expect(
            try labels("index,label\n30,dog\n10,dog\n20,cat\n", ids: [10, 20, 30]) == [1, 0, 1])
    }

    /// Samples 1 and 3 of five: the file stands for all five, or names at least these two.
    @Test(arguments: [
        "label\n0\n2\n0\n1\n0\n", "index,label\n3,1\n1,2\n",
        "index,label,clean\n0,0,1\n1,2,0\n2,0,0\n4,0,0\n3,1,1\n",
    ])
    func partOfTheData(_ text: String) throws {
        try withFile(Array(text.utf8)) { path in
            let noisy = try LabelNoise(.file, path: path).apply(
                labels: [1, 0], classCount: 3, ids: [3, 1], total: 5, seed: 1)
            #expect(noisy.labels == [1, 2])
            try noisy.write(to: path, using: LocalFileSystem())
            let written = try readFile(path)
            #expect(
                String(decoding: written, as: UTF8.self)
                    == "index,given,clean\n3,1,1\n1,2,0\n")
            let again = try LabelNoise(.file, path: path).apply(
                labels: [0, 1], classCount: 3, ids: [1, 3], total: 5, seed: 1)
            #expect(again.labels == [2, 1])
        }
    }

    @Test(arguments: [
        ("label\n0\n2\n", ": label file ends too early: found 2 rows, expected 5"),
        ("label\n0\n2\n0\n1\n0\n0\n", ", line 7: more rows than samples: expected 5 rows"),
        ("index,label\n1,1\n", ": no row for sample 3 (every sample needs exactly one)"),
        (
            "index,label\n5,1\n",
            ", line 2: no sample has this index: found 5 (the data has 5 samples, counted from 0)"
        ),
        ("index,label\n2,1\n2,1\n", ", line 3: index 2 was labelled before, on line 2"),
        (
            "index,label\n2,7\n",
            ", line 2: unknown label: found \"7\", expected a number 0...2"
        ),
    ])
    func damagedForPartOfTheData(_ text: String, _ sentence: String) throws {
        try withFile(Array(text.utf8)) { path in
            let said = refusal { () throws(Problem) in
                _ = try LabelNoise(.file, path: path).apply(
                    labels: [1, 0], classCount: 3, ids: [3, 1], total: 5, seed: 1)
            }
            #expect(said == path + sentence)
        }
    }

    @Test func measuresTheFile() throws {
        try withFile(Array("label\n1\n1\n1\n1\n".utf8)) { path in
            let noisy = try LabelNoise(.file, path: path).apply(
                labels: [0, 1, 1, 0], classCount: 2, seed: 1)
            #expect(noisy.realisedRate == 0.5 && noisy.intendedRate == nil)
            #expect(noisy.realisedTransition == [[0, 1], [0, 1]])
            // printf '1\n1\n1\n1\n' | sha256sum
            #expect(
                noisy.sha256 == "a0db8280e47040bfa328b02b87c122e236c9e04571ae34dffbe91f1f8cb05bb4")
        }
    }

    static let damaged: [(String, String)] = [
        ("", "line 1: label file is empty: expected a header such as index,label or label"),
        (" \n\r\n", "line 1: label file is empty: expected a header such as index,label or label"),
        (
            "dog\ncat\n2\n",
            "line 1: unknown column: found \"dog\", expected a header such as index,label or label"
        ),
        ("index\n0\n", "line 1: no label column: expected a header such as index,label or label"),
        (
            "label,given\n0,1\n",
            "line 1: column named twice: found \"given\" (given and label are the same column)"
        ),
        (
            "index,label\n0,dog\n1\n2,cat\n",
            "line 3: wrong number of columns: found 1, expected 2 as in the header"
        ),
        (
            "label\ndog\ncow\ncat\n",
            "line 3: unknown label: found \"cow\", expected class names, or numbers 0...2 throughout"
        ),
        (
            "label\ndogs\ncat\ncat\n",
            "line 2: unknown label: found \"dogs\", expected class names, or numbers 0...2 throughout (did "
                + "you mean \"dog\"?)"
        ),
        (
            "label\n0\n1\n3\n",
            "line 4: unknown label: found \"3\", expected class names, or numbers 0...2 throughout"
        ),
        (
            "label\n0\n99999999999999999999\n1\n",
            "line 3: unknown label: found \"99999999999999999999\", expected class names, or "
                + "numbers 0...2 throughout"
        ),
        (
            "label\n0\n-1\n1\n",
            "line 3: unknown label: found \"-1\", expected class names, or numbers 0...2 throughout"
        ),
        ("label\n0\n\n1\n", "line 3: label missing (every sample needs exactly one)"),
        ("index,label\n0,\n", "line 2: label missing (every sample needs exactly one)"),
        ("label\n0\n1\n2\n0\n", "line 5: more rows than samples: expected 3 rows"),
        (
            "label\n0\n1\n",
            "label file ends too early: found 2 rows, expected 3"
        ),
        (
            "index,label\n0,0\n2,1\n",
            "no row for sample 1 (every sample needs exactly one)"
        ),
        ("index,label\nx,0\n", "line 2: index is not a whole number: found \"x\""),
        ("index,label\n1.0,0\n", "line 2: index is not a whole number: found \"1.0\""),
        (
            "index,label\n3,0\n",
            "line 2: no sample has this index: found 3 (the data has 3 samples, counted from 0)"
        ),
        (
            "index,label\n-1,0\n",
            "line 2: no sample has this index: found -1 (the data has 3 samples, counted from 0)"
        ),
        ("index,label\n0,0\n0,1\n", "line 3: index 0 was labelled before, on line 2"),
        (
            "index,given,clean\n0,dog,cat\n1,dog,cat\n2,cat,cat\n",
            "line 3: clean label differs from the data's label of sample 1: found \"cat\", "
                + "expected \"dog\" (is the file made for this data, in this order?)"
        ),
        ("label\n\"cat\n1\n2\n", "line 2: quotation mark is never closed"),
        (
            "label\n\"cat\"s\n",
            "line 2: text outside its quotation marks (quote the whole field and double the marks "
                + "inside)"
        ),
        (
            "label\nc\"at\n",
            "line 2: text outside its quotation marks (quote the whole field and double the marks "
                + "inside)"
        ),
        ("label,,,,,,,,,\n", "line 1: too many columns for a label file: expected at most 8"),
        (
            "label\n0\n" + String(repeating: "x", count: 9_000),
            "line 3: field too long for a label: expected at most 8192 bytes"
        ),
        (
            "label\n0\n\"" + String(repeating: "\n", count: 9_000) + "\"",
            "line 3: field too long for a label: expected at most 8192 bytes"
        ),
        (
            "label\n\"do\ng\"\ncat\ncat\n",
            "line 2: unknown label: found \"do\\ng\", expected class names, or numbers 0...2 throughout "
                + "(did you mean \"dog\"?)"
        ),
        (
            "label\n\u{0}\n1\n1\n",
            "line 2: unknown label: found \"\\0\", expected class names, or numbers 0...2 throughout"
        ),
    ]

    @Test(arguments: damaged.indices) func damage(_ i: Int) throws {
        try expectDamage(Array(Self.damaged[i].0.utf8), Self.damaged[i].1)
    }

    @Test func notUTF8() throws {
        try expectDamage(
            Array("label\n0\nd\u{1}g\n".utf8).map { $0 == 1 ? 0xf6 : $0 },
            "line 3: not UTF-8 (save the file as UTF-8)")
        try expectDamage(
            [0xff, 0xfe] + Array("l\0a\0".utf8), "line 1: not UTF-8 (save the file as UTF-8)")
    }

    func expectDamage(_ bytes: [UInt8], _ sentence: String) throws {
        try withFile(bytes) { path in
            let said = refusal { () throws(Problem) in
                _ = try LabelNoise(.file, path: path).apply(
                    labels: [0, 1, 2], classCount: 3, classNames: names, seed: 1)
            }
            let separator = sentence.hasPrefix("line") ? ", " : ": "
            #expect(said == path + separator + sentence)
        }
    }

    @Test func missingFile() {
        do throws(Problem) {
            _ = try LabelNoise(.file, path: "/nowhere/at/all.csv").apply(
                labels: [0, 1], classCount: 2, seed: 1)
            Issue.record("read a file that is not there")
        } catch {
            #expect(error.kind == .io)
            #expect(
                error.description == "/nowhere/at/all.csv: cannot read: No such file or directory")
        }
    }

    /// Every cut and every changed byte of a good file gives labels or one problem, never a trap.
    @Test func mutations() throws {
        let good = Array(
            "index,given,clean\n0,dog,cat\n1,\"owl, snowy\",dog\n2,cat,\"owl, snowy\"\n".utf8)
        var damaged = good.indices.map { Array(good[..<$0]) }
        for i in good.indices {
            for byte: UInt8 in [0, 10, 13, 32, 34, 44, 45, 57, 0x80, 0xff] {
                var bytes = good
                bytes[i] = byte
                damaged.append(bytes)
            }
        }
        for bytes in damaged {
            try withFile(bytes) { path in
                do throws(Problem) {
                    let noisy = try LabelNoise(.file, path: path).apply(
                        labels: [0, 1, 2], classCount: 3, classNames: names, seed: 1)
                    #expect(noisy.labels.allSatisfy { (0..<3).contains($0) })
                } catch {
                    #expect(error.kind == .data)
                    #expect(!error.description.contains("\n"))
                }
            }
        }
    }

    @Test(arguments: [
        nil, ["cat", "dog", "owl"], ["a,b", "say \"hi\"", "two\nlines"], ["1", "2", "0"],
        [" padded ", "é", "\t"], ["a,\u{301}", "\"\u{20dd}", "\u{1b}[31m\u{202e}"],
        ["x\r", "\r\n", "\u{0}"],
    ])
    func roundTrip(_ names: [String]?) throws {
        let noisy = try LabelNoise(.symmetric, rate: 0.5).apply(
            labels: cyclicLabels(60, 3), classCount: 3, classNames: names, seed: 5)
        try withFile([]) { path in
            try noisy.write(to: path, using: LocalFileSystem())
            let again = try LabelNoise(.file, path: path).apply(
                labels: noisy.clean, classCount: 3, classNames: names, seed: 9)
            #expect(again.labels == noisy.labels && again.sha256 == noisy.sha256)
            #expect(again.realisedTransition == noisy.realisedTransition)
            #expect(noisy.realisedRate! > 0)
        }
    }

    /// Where classes are called "1", "2", "3", a file with a 0 counts from 0 throughout; one whose words
    /// are all names has names.
    @Test(arguments: [
        ("label\n0\n1\n2\n", [0, 1, 2]), ("label\n1\n2\n2\n", [0, 1, 1]),
        ("index,label,clean\n0,2,0\n1,1,1\n2,1,2\n", [2, 1, 1]),
    ])
    func oneReadingForAllLabels(text: String, wanted: [Int]) throws {
        try withFile(Array(text.utf8)) { path in
            let noisy = try LabelNoise(.file, path: path).apply(
                labels: [0, 1, 2], classCount: 3, classNames: ["1", "2", "3"], seed: 1)
            #expect(noisy.labels == wanted)
        }
    }

    @Test func namesAndNumbersTogetherAreRefused() throws {
        #expect(
            failure { try labels("label\n1\ndog\n2\n") }.hasSuffix(
                ", line 2: unknown label: found \"1\", expected class names, or numbers 0...2 throughout"
            ))
    }

    @Test func unknownCleanLabelsStayEmpty() throws {
        let noisy = LabelNoise.measured(
            given: [0, 1], clean: nil, classCount: 2, classNames: names, ids: [4, 7])
        #expect(noisy.realisedRate == nil && noisy.realisedTransition == nil)
        try withFile([]) { path in
            try noisy.write(to: path, using: LocalFileSystem())
            #expect(
                String(decoding: try readFile(path), as: UTF8.self)
                    == "index,given,clean\n4,cat,\n7,dog,\n")
        }
    }

    @Test func writtenBytes() throws {
        try withFile(Array("label\n2\n0\n".utf8)) { path in
            let noisy = try LabelNoise(.file, path: path).apply(
                labels: [0, 1], classCount: 3, classNames: names, seed: 1)
            try noisy.write(to: path, using: LocalFileSystem())
            #expect(
                String(decoding: try readFile(path), as: UTF8.self)
                    == "index,given,clean\n0,\"owl, snowy\",cat\n1,cat,dog\n")
        }
    }

    /// A write that fails part-way leaves the old file as it was.
    @Test func failedWriteLeavesTheOldFile() throws {
        struct FullDisk: FileSystem {
            let local = LocalFileSystem()
            func createDirectory(_ path: String) throws(Problem) {}
            func write(_ bytes: [UInt8], to path: String) throws(Problem) {
                try local.write(Array(bytes.prefix(5)), to: path)
                throw .cannot("write", path, ENOSPC)
            }
            func create(
                _ bytes: [UInt8], at path: String, permissions: mode_t?
            ) throws(Problem) {
                try local.create(Array(bytes.prefix(5)), at: path, permissions: permissions)
                throw .cannot("write", path, ENOSPC)
            }
            func append(_ bytes: [UInt8], to path: String) throws(Problem) {}
            func truncate(_ path: String, to length: Int) throws(Problem) {}
            func sync(_ path: String) throws(Problem) {}
            func rename(_ source: String, to destination: String) throws(Problem) {
                try local.rename(source, to: destination)
            }
            func remove(_ path: String) throws(Problem) { try local.remove(path) }
        }
        let noisy = try LabelNoise(.clean).apply(labels: [0, 1], classCount: 2, seed: 1)
        try withFile(Array("old".utf8)) { path in
            #expect(throws: Problem.self) { try noisy.write(to: path, using: FullDisk()) }
            let kept = try readFile(path)
            #expect(kept == Array("old".utf8))
        }
    }
}
