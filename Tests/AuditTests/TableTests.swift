import Diagnostics
import Files
import Foundation
import SafeTensors
import Testing

@testable import Audit

@Suite struct TableTests {
    private static let values = [0.25, 0.75, 0.5, 0.5, 1, 0]

    /// A file in a folder that goes with the test.
    private final class File {
        let path: String
        private let folder: String

        init(_ bytes: [UInt8], _ name: String = "p.npy") throws {
            folder =
                FileManager.default.temporaryDirectory
                .appendingPathComponent("limbeck-audit-\(UUID())").path
            try LocalFileSystem().createDirectory(folder)
            path = folder + "/" + name
            try LocalFileSystem().write(bytes, to: path)
        }

        deinit { try? LocalFileSystem().remove(folder) }
    }

    private func npy(
        _ type: String = "<f8", shape: String = "(3, 2)", fortran: String = "False",
        version: UInt8 = 1, padding: Int = 0, _ data: [UInt8]? = nil
    ) -> [UInt8] {
        let head = Array(
            ("{'descr': '\(type)', 'fortran_order': \(fortran), 'shape': \(shape), }"
                + String(repeating: " ", count: padding) + "\n").utf8)
        var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [version, 0]
        bytes += [UInt8(head.count & 255), UInt8(head.count >> 8)] + (version > 1 ? [0, 0] : [])
        bytes += head
        let floats = Self.values.flatMap { Float($0).bitPattern.bytes }
        return bytes
            + (data ?? (type == "<f4" ? floats : Self.values.flatMap { $0.bitPattern.bytes }))
    }

    private func said(_ bytes: [UInt8], _ name: String = "p.npy", tensor: String? = nil) throws
        -> String
    {
        let file = try File(bytes, name)
        do throws(Problem) {
            _ = try ProbabilityTable(path: file.path, tensor: tensor)
            return "nothing thrown"
        } catch {
            return error.description.replacing(file.path, with: name)
        }
    }

    private func rows(_ table: ProbabilityTable) -> [[Double]] { (0..<table.rows).map(table.row) }

    /// With every offset of the numbers from whole words.
    @Test(arguments: 0..<9) func readsArraysOfNumpy(padding: Int) throws {
        for (type, version) in [("<f8", 1), ("<f4", 1), ("<f8", 2), ("<f4", 3)] {
            let file = try File(npy(type, version: UInt8(version), padding: padding))
            let table = try ProbabilityTable(path: file.path)
            #expect(table.isDouble == (type == "<f8"))
            #expect(rows(table) == [[0.25, 0.75], [0.5, 0.5], [1, 0]])
            let learning = try ConfidentLearning(table, labels: [0, 1, 0], workers: 2, height: 1)
            let memory = try ConfidentLearning(
                ProbabilityTable(Self.values, classes: 2), labels: [0, 1, 0])
            #expect(learning.joint == memory.joint)
            #expect(learning.issues() == memory.issues())
        }
    }

    @Test func refusesOtherArrays() throws {
        #expect(
            try said(npy("<i8"))
                == "p.npy: numbers have the wrong type: found <i8, expected <f4 or <f8 (float32 or float64) "
                + "(np.save(FILE, array.astype(\"float32\")))")
        #expect(
            try said(npy(fortran: "True"))
                == "p.npy: array is stored column by column: found Fortran order, expected C order "
                + "(np.save(FILE, np.ascontiguousarray(array)))")
        #expect(
            try said(npy(shape: "(6,)"))
                == "p.npy: not a table: found shape 6, expected samples x classes (for two classes give both "
                + "columns: np.stack([1 - p, p], 1))")
        #expect(
            try said(npy(shape: "(4, 2)"))
                == "p.npy: file ends before its numbers do: found 48 bytes of numbers, expected those of "
                + "shape 4 x 2 (was it copied to the end?)")
        #expect(
            try said(npy(shape: "(4611686018427387904, 4)")).hasPrefix("p.npy: file ends before"))
        #expect(
            try said(npy(version: 9))
                == "p.npy: version of the NumPy format is not known: found 9, expected 1, 2 or 3")
        #expect(
            try said(npy(shape: "(-3, 2)"))
                == "p.npy: header of the NumPy array cannot be read: its shape is not of whole numbers"
        )
        #expect(
            try said(npy(shape: "3"))
                == "p.npy: header of the NumPy array cannot be read: its shape is not in parentheses"
        )
        #expect(
            try said(Array(npy().prefix(40)))
                == "p.npy: header of the NumPy array cannot be read: it is longer than the file or than "
                + "65536 bytes")
        #expect(
            try said([1, 2, 3], "p.bin")
                == "p.bin: not a table of probabilities: found an unknown kind of file, expected a NumPy "
                + "array (.npy), a safetensors file or a table of text (CSV)")
        #expect(try said([], "p.bin").contains("found an empty file"))
    }

    /// No header and no cut of one ends the program.
    @Test func survivesEveryCut() throws {
        let whole = npy()
        for count in 0..<whole.count {
            #expect(try said(Array(whole.prefix(count))) != "nothing thrown")
        }
        for at in 0..<70 {
            var bytes = whole
            bytes[at] ^= 0x15
            _ = try said(bytes)
        }
    }

    @Test func readsSafeTensors() throws {
        func tensor(_ type: String, _ name: String, _ shape: [Int], _ range: Range<Int>) -> String {
            "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":"
                + "[\(range.lowerBound),\(range.upperBound)]}"
        }
        func file(_ tensors: [String], _ data: [UInt8]) -> [UInt8] {
            let head = Array("{\(tensors.joined(separator: ","))}".utf8)
            return UInt64(head.count).bytes + head + data
        }
        let doubles = Self.values.flatMap { $0.bitPattern.bytes }
        let floats = Self.values.flatMap { Float($0).bitPattern.bytes }
        let both = file(
            [tensor("F64", "p", [3, 2], 0..<48), tensor("I64", "labels", [1], 48..<56)],
            doubles + [UInt8](repeating: 0, count: 8))
        let one = try File(both, "p.safetensors")
        #expect(
            rows(try ProbabilityTable(path: one.path)) == [[0.25, 0.75], [0.5, 0.5], [1, 0]])
        let two = file(
            [tensor("F32", "a", [3, 2], 0..<24), tensor("F32", "b", [3, 2], 24..<48)],
            floats + floats)
        let second = try File(two, "p.safetensors")
        #expect(try ProbabilityTable(path: second.path, tensor: "b").rows == 3)
        #expect(
            try said(two, "p.safetensors")
                == "p.safetensors: which tensor holds the probabilities cannot be told: found \"a\", \"b\", "
                + "expected one with two dimensions (name the tensor)")
        #expect(
            try said(two, "p.safetensors", tensor: "c")
                == "p.safetensors: no such tensor: found \"c\", expected one of \"a\", \"b\"")
        #expect(
            try said(both, "p.safetensors", tensor: "labels")
                == "p.safetensors, tensor \"labels\": numbers have the wrong type: found I64, expected F32 or "
                + "F64")
    }

    @Test func readsText() throws {
        let named = try File(Array("cat,\"a, dog\"\r\n.25,7.5e-1\r\n0.5,0.5\n1,0\n".utf8), "p.csv")
        let table = try ProbabilityTable(path: named.path)
        #expect(table.classNames == ["cat", "a, dog"])
        #expect(rows(table) == [[0.25, 0.75], [0.5, 0.5], [1, 0]])
        let bare = try File(Array("0.1,0.9\n".utf8), "p.csv")
        #expect(rows(try ProbabilityTable(path: bare.path)) == [[0.1, 0.9]])
        #expect(try ProbabilityTable(path: bare.path).classNames == nil)
        #expect(
            try said(Array("a,b\n0.1,0.9\n0.5\n".utf8), "p.csv").hasPrefix("p.csv, line 3: "))
        #expect(
            try said(Array("a,b\n0.1,x\n".utf8), "p.csv").hasPrefix(
                "p.csv, line 2, column b: cell is not a number: found \"x\""))
    }

    @Test func refusesWhatIsNoProbability() {
        func said(_ values: [Double], _ labels: [Int] = [0, 0]) -> String {
            var lines: Set<String> = []
            for table in [
                ProbabilityTable(values, classes: 2),
                ProbabilityTable(values.map { Float($0) }, classes: 2),
            ] {
                for (workers, height) in [(1, 100), (2, 1)] {
                    do throws(Problem) {
                        _ = try ConfidentLearning(
                            table, labels: labels, workers: workers, height: height)
                        lines.insert("nothing thrown")
                    } catch {
                        lines.insert(error.description)
                    }
                }
            }
            return lines.sorted().joined(separator: " | ")
        }
        #expect(said([0.5, 0.5, 0.25, 0.75]) == "nothing thrown")
        #expect(
            said([0.5, 0.5, .nan, 0.5])
                == "row 1, class 0: not a probability: found nan, expected a number from 0 to 1")
        #expect(
            said([0.5, 0.5, 1, .infinity])
                == "row 1, class 1: not a probability: found inf, expected a number from 0 to 1")
        #expect(
            said([4.5, -2, 7, 0])
                == "row 0, class 0: not a probability: found 4.5, expected a number from 0 to 1 (these look "
                + "like logits: give their softmax)")
        #expect(
            said([0.5, 0.5, -0.5, -1.5])
                == "row 1, class 0: not a probability: found -0.5, expected a number from 0 to 1 (these look "
                + "like logarithms of probabilities: give their exponentials)")
        #expect(
            said([0.5, 0.5, 0.25, 0.25])
                == "row 1: probabilities do not sum to 1: found 0.5, expected 1 over 2 classes (a sample may "
                + "be of one class only)")
        #expect(
            said([0.5, 0.5], [0, 1])
                == "labels and rows of probabilities do not fit: found 2 labels, expected 1, one for each row"
        )
        #expect(
            said([0.5, 0.5, 0.5, 0.5], [0, 2])
                == "row 1: label is no class: found 2, expected 0 to 1")
        #expect(
            said([], [])
                == "nothing to audit: found no row, expected probabilities of at least one sample")
    }

    /// Eight and more classes are looked at by other code.
    @Test(arguments: [8, 11, 16]) func checksWideRows(classes: Int) throws {
        for bad in [Double.nan, .infinity, -0.25, 1.5] {
            for at in 0..<classes {
                var values = [Double](repeating: 1 / Double(classes), count: 2 * classes)
                values[classes + at] = bad
                #expect(throws: Problem.self) {
                    try ConfidentLearning(
                        ProbabilityTable(values, classes: classes), labels: [0, 0])
                }
            }
        }
    }
}

extension FixedWidthInteger {
    fileprivate var bytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}
