import Diagnostics
import Foundation
import Testing

@testable import LabelText

struct WordListTests {
    private func lines(_ text: [UInt8]) throws -> [String] {
        let path = "\(NSTemporaryDirectory())/limbeck-words-\(UUID().uuidString)"
        try Data(text).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        var lines: [String] = []
        try WordList.read(path) { lines.append(String(decoding: $0, as: UTF8.self)) }
        return lines
    }

    @Test(arguments: ["\n", "\r\n", "\r"])
    func everyLineBreak(line: String) throws {
        for mark in ["", "\u{feff}"] {
            let text = mark + "cat" + line + line + "dog"
            #expect(try lines(Array(text.utf8)) == ["cat", "", "dog"])
            #expect(try lines(Array((text + line).utf8)) == ["cat", "", "dog"])
        }
        #expect(try lines([]) == [])
    }

    /// Breaks at the end of a chunk, and a line longer than any word.
    @Test func longLists() throws {
        let text = String(repeating: "x", count: 65_535) + "\r\n" + "cat\r\n"
        #expect(try lines(Array(text.utf8)) == ["", "cat"])
        let many = (0..<50_000).map { "w\($0)" }
        #expect(try lines(Array(many.joined(separator: "\r\n").utf8)) == many)
    }

    @Test func vocabulariesAreCountedFirst() {
        let breaks = [UInt8](repeating: 0x0a, count: 1_000_001)
        #expect(throws: Problem.self) { try WordPiece(vocabulary: breaks, file: "vocab.txt") }
    }

    /// A header of a few bytes that claims four million million values.
    @Test func matricesAreReadByRows() throws {
        let path = "\(NSTemporaryDirectory())/limbeck-matrix-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        func write(_ rows: Int, _ columns: Int, _ values: [Float], order: String) throws {
            var header = Array(
                "{'descr': '<f4', 'fortran_order': \(order), 'shape': (\(rows), \(columns)), }".utf8
            )
            header += [UInt8](repeating: 0x20, count: 117 - header.count) + [0x0a]
            let data = values.flatMap { value in
                (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
            }
            let start: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0]
            try Data(start + header + data).write(to: URL(filePath: path))
        }
        try write(2, 3, [1, 2, 3, 4, 5, 6], order: "False")
        #expect(try NumPyMatrix(path: path).row(1) == [4, 5, 6])
        try write(2, 3, [1, 4, 2, 5, 3, 6], order: "True")
        #expect(try NumPyMatrix(path: path).row(1) == [4, 5, 6])
        try write(2_000_000, 2_000_000, [1], order: "False")
        #expect(throws: Problem.self) { try NumPyMatrix(path: path) }
    }

    @Test func namesAreBounded() {
        #expect(throws: Problem.self) {
            try LabelEmbeddings.check(names: ["cat", String(repeating: "x", count: 1025)])
        }
        let marks = "a" + String(repeating: "\u{301}", count: 31)
        #expect(throws: Problem.self) { try LabelEmbeddings.check(names: [marks]) }
        #expect(throws: Never.self) { try LabelEmbeddings.check(names: ["cat", "café"]) }
    }
}
