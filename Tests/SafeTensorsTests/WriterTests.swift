import Diagnostics
import Files
import Foundation
import Randomness
import Testing

@testable import SafeTensors

struct WriterTests {
    /// The tensors of a file of the reference writer, added in another order, give its very bytes.
    @Test func bytesEqualTheReferenceWriters() throws {
        let reference = try SafeTensorsFile(path: referencePath)
        var draw = Draw(seed: 1, .tests)
        for _ in 0..<20 {
            var writer = SafeTensorsWriter(metadata: reference.metadata)
            for tensor in reference.tensors.shuffled(using: &draw) {
                writer.add(
                    tensor.name, tensor.dtype, shape: tensor.shape,
                    bytes: Array(try reference.bytes(of: tensor.name)))
            }
            #expect(try writer.encoded() == readFile(referencePath))
        }
    }

    @Test func smallestFiles() throws {
        #expect(try SafeTensorsWriter().encoded() == framed("{}      "))
        var writer = SafeTensorsWriter(metadata: ["b": "2", "a": "1", "é": "", "Z": "\u{1}\u{1F}"])
        writer.add("x", floats: [1.5], shape: [])
        #expect(
            try writer.encoded()
                == framed(
                    #"{"__metadata__":{"Z":"\u0001\u001f","a":"1","b":"2","é":""},"#
                        + #""x":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}       "#,
                    data: [0, 0, 0xC0, 0x3F]))
    }

    @Test func valuesComeBack() throws {
        var writer = SafeTensorsWriter()
        writer.add("floats", floats: [1, -0.5, .infinity], shape: [3])
        writer.add("doubles", doubles: [0.1, 2], shape: [1, 2])
        writer.add("ints", ints: [.min, 0, .max], shape: [3])
        writer.add("bools", bools: [true, false], shape: [2, 1])
        let read = try SafeTensorsFile(bytes: writer.encoded(), name: "x")
        #expect(read.tensors.map(\.name) == ["ints", "doubles", "floats", "bools"])
        #expect(try read.floats(of: "floats") == [1, -0.5, .infinity])
        #expect(try read.doubles(of: "doubles") == [0.1, 2])
        #expect(try read.ints(of: "ints") == [.min, 0, .max])
        #expect(try read.bools(of: "bools") == [true, false])
        #expect(read["doubles"]?.shape == [1, 2])
    }

    /// Names are sorted by their bytes, not by what Unicode calls equal or before.
    @Test func orderIsThatOfBytes() throws {
        var writer = SafeTensorsWriter()
        for name in ["b", "e\u{301}", "a", "😀", "B", "f", "\u{FF5E}"] {
            writer.add(name, .u8, shape: [], bytes: [0])
        }
        let read = try SafeTensorsFile(bytes: writer.encoded(), name: "x")
        #expect(read.tensors.map(\.name) == ["B", "a", "b", "e\u{301}", "f", "\u{FF5E}", "😀"])
    }

    @Test func mistakesAreNamed() {
        let long = String(repeating: "n", count: 1025)
        func refusal(_ metadata: [String: String] = [:], _ add: (inout SafeTensorsWriter) -> Void)
            -> String?
        {
            var writer = SafeTensorsWriter(metadata: metadata)
            add(&writer)
            return sentence { () throws(Problem) in _ = try writer.encoded() }
        }
        #expect(
            refusal { $0.add("w", .f32, shape: [2, 3], bytes: [1]) }
                == #"tensor "w": cannot encode as safetensors: bytes do not fit dtype and shape: found 1 bytes, expected 24 bytes for F32 [2, 3]"#
        )
        #expect(
            refusal { $0.add("w", .u8, shape: [-1], bytes: []) }
                == #"tensor "w": cannot encode as safetensors: shape negative or too large: found [-1], expected at most 9223372036854775807 bytes"#
        )
        #expect(
            refusal { $0.add("w", .u8, shape: [0, -1], bytes: []) }
                == #"tensor "w": cannot encode as safetensors: shape negative or too large: found [0, -1], expected at most 9223372036854775807 bytes"#
        )
        #expect(
            refusal { $0.add("w", .u8, shape: Array(repeating: 1, count: 65), bytes: [1]) }
                == #"tensor "w": cannot encode as safetensors: too many dimensions: found 65, expected at most 64"#
        )
        #expect(
            refusal {
                $0.add("w", bools: [], shape: [0])
                $0.add("w", ints: [], shape: [0])
            } == #"tensor "w": cannot encode as safetensors: two tensors of one name"#)
        #expect(
            refusal { $0.add("__metadata__", bools: [], shape: [0]) }
                == #"tensor "__metadata__": cannot encode as safetensors: reserved name"#)
        #expect(
            refusal { $0.add(long, bools: [], shape: [0]) }
                == "cannot encode as safetensors: tensor name too long: found 1025 bytes, expected at most 1024 bytes"
        )
        #expect(
            refusal([long: ""]) { _ in }
                == "cannot encode as safetensors: metadata key too long: found 1025 bytes, expected at most 1024 bytes"
        )
    }

    @Test func marksInARowAreLimited() {
        let marks = String(repeating: "\u{301}", count: 31)
        let expected =
            "cannot encode as safetensors: name with too many combining marks in a row: found \"\(marks)\", expected at most 30"
        var writer = SafeTensorsWriter()
        writer.add(marks, bools: [], shape: [0])
        #expect(sentence { () throws(Problem) in _ = try writer.encoded() } == expected)
        writer = SafeTensorsWriter(metadata: [marks: ""])
        #expect(sentence { () throws(Problem) in _ = try writer.encoded() } == expected)
        writer = SafeTensorsWriter(metadata: ["k": marks])
        #expect(sentence { () throws(Problem) in _ = try writer.encoded() } == nil)
    }

    @Test func theHeaderHasALimit() throws {
        let writer = SafeTensorsWriter(metadata: ["k": "1234"])  // 29 bytes, padded to 32
        #expect(try writer.encoded(headerLimit: 32) == writer.encoded())
        #expect(
            sentence { () throws(Problem) in _ = try writer.encoded(headerLimit: 31) }
                == "cannot encode as safetensors: header too long: found 32 bytes, expected at most 31 bytes"
        )
    }

    /// Whatever call of the save fails, the file holds the old tensors or the new.
    @Test func writingIsSafeAtEveryFault() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("safetensors-\(UUID())").path
        try LocalFileSystem().createDirectory(folder)
        defer { try? LocalFileSystem().remove(folder) }
        let path = folder + "/w.safetensors"
        func content(_ value: Float) -> SafeTensorsWriter {
            var writer = SafeTensorsWriter()
            writer.add("w", floats: Array(repeating: value, count: 100), shape: [100])
            return writer
        }
        let counter = FaultyFileSystem()
        try content(0).write(to: path, using: counter)
        #expect(counter.callCount == 4)
        for call in 0..<counter.callCount {
            try content(1).write(to: path)
            let faulty = FaultyFileSystem(.init(.powerLoss, atCall: call, halfWritten: true))
            #expect(throws: Problem.self) { try content(2).write(to: path, using: faulty) }
            let value = try SafeTensorsFile(path: path).floats(of: "w")[0]
            #expect(value == (call < 3 ? 1 : 2))
        }
    }
}
