import Diagnostics
import Foundation
import LabelText
import Testing

struct GloVeTests {
    private let words = ["t-shirt", "top", "red", "ring", "ankle", "boot", "café"]

    /// A .npy file as NumPy 1.0 writes it: padded to 64 bytes, rows or columns first.
    private func numPy(
        _ rows: [[Float]], columnMajor: Bool, type: String = "<f4", shape: String? = nil
    ) -> [UInt8] {
        let columns = rows.first?.count ?? 0
        var header =
            "{'descr': '\(type)', 'fortran_order': \(columnMajor ? "True" : "False"), 'shape': (\(shape ?? "\(rows.count), \(columns)")), }"
        header += String(repeating: " ", count: (64 - (header.utf8.count + 11) % 64) % 64) + "\n"
        let length = header.utf8.count
        var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
        bytes += [UInt8(length & 255), UInt8(length >> 8)] + Array(header.utf8)
        let values =
            columnMajor
            ? (0..<columns).flatMap { c in rows.map { $0[c] } } : rows.flatMap { $0 }
        for value in values {
            withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += Array($0) }
        }
        return bytes
    }

    /// Row i is [i, 10·i].
    private var rows: [[Float]] { words.indices.map { [Float($0), Float(10 * $0)] } }

    @Test(arguments: [false, true]) func aClassIsTheAverageOfItsWords(_ columnMajor: Bool) throws {
        let scratch = try Scratch()
        _ = try scratch.write("vectors.npy", numPy(rows, columnMajor: columnMajor))
        // The last line may lack its end.
        _ = try scratch.write(
            "words.txt", words.joined(separator: "\n") + (columnMajor ? "\n" : ""))
        let options = EmbeddingOptions.gloVe(folder: scratch.path)
        let made = try options.load(classes: ["Ring", "red_ring", "T-shirt/top", "ankle-boot"])
        #expect(made.dimension == 2)
        #expect(made.values == [3, 30, 2.5, 25, 0.5, 5, 4.5, 45])
    }

    /// A pipe without a writer must not be waited for.
    @Test(.timeLimit(.minutes(1))) func pipesAreRefused() throws {
        let scratch = try Scratch()
        #expect(mkfifo(scratch.path + "/vectors.npy", 0o600) == 0)
        let line = scratch.line {
            _ = try LabelEmbeddings.gloVe(folder: scratch.path, classes: words)
        }
        #expect(line == "vectors.npy: cannot read: not a regular file")
    }

    @Test func whatIsWrongIsSaidInOneLine() throws {
        let scratch = try Scratch()
        func line(_ npy: [UInt8], _ list: String? = nil, _ classes: [String] = ["red"]) -> String? {
            scratch.line {
                _ = try scratch.write("vectors.npy", npy)
                _ = try scratch.write("words.txt", list ?? words.joined(separator: "\n"))
                _ = try LabelEmbeddings.gloVe(folder: scratch.path, classes: classes)
            }
        }
        let good = numPy(rows, columnMajor: true)
        #expect(line(good) == nil)
        #expect(
            line(good, nil, ["red", "blue ring"])
                == #"words.txt, class "blue ring": no vector for a word: found "blue" (MiniLM knows every word; or write a file of vectors)"#
        )
        #expect(
            line(good, nil, ["/"])
                == #"words.txt, class "/": no vector for a word: found "/" (MiniLM knows every word; or write a file of vectors)"#
        )
        // Equal to an entry for Swift, other bytes: not the word.
        #expect(line(good, nil, ["cafe\u{301}"])?.contains("no vector for a word") == true)
        #expect(
            line(good, "red\nring\n")
                == "words.txt: words and vectors do not belong together: found 2 words, expected 7")
        let prefix = "vectors.npy: not a matrix of float32 in NumPy's format: found "
        #expect(
            line(Array("hello world!".utf8))
                == prefix + "the first bytes are not those of a .npy file")
        #expect(
            line(numPy(rows, columnMajor: false, type: "<f8")) == prefix + "not float32")
        #expect(
            line(numPy(rows, columnMajor: false, shape: "14,")) == prefix + "not a matrix")
        #expect(
            line(numPy(rows, columnMajor: false, shape: "999999999, 999999999"))
                == prefix + "56 bytes for 999999999 x 999999999 values")
        #expect(line(Array(good.dropLast())) == prefix + "55 bytes for 7 x 2 values")
        #expect(line(Array(good.prefix(40))) == prefix + "its header is cut")
    }
}
