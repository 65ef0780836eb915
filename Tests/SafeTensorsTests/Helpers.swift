import Diagnostics
import Foundation
import Randomness

@testable import SafeTensors

/// A file with `header` and `data`; `length` is claimed in place of the header's own.
func framed(_ header: String, data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
    framed(Array(header.utf8), data: data, length: length)
}

func framed(_ header: [UInt8], data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
    let length = length ?? UInt64(header.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header + data
}

/// The one sentence that reading `bytes` as `x.safetensors` ends with, or nil if it is accepted.
func refusal(_ bytes: [UInt8]) -> String? {
    do throws(Problem) {
        _ = try SafeTensorsFile(bytes: bytes, name: "x.safetensors")
        return nil
    } catch {
        return error.kind == .data ? error.description : "wrong kind: \(error.description)"
    }
}

/// The sentence `body` throws, or nil.
func sentence(_ body: () throws(Problem) -> Void) -> String? {
    do throws(Problem) {
        try body()
        return nil
    } catch {
        return error.description
    }
}

/// Reads `bytes`; an accepted file must keep the invariant, give all its values, and come out of
/// the writer with the same content. Returns whether it was accepted, or what does not hold.
func examine(_ bytes: [UInt8]) throws -> Bool {
    guard let read = try? SafeTensorsFile(bytes: bytes, name: "x") else { return false }
    var reached = read.tensors.first?.range.lowerBound ?? bytes.count
    for tensor in read.tensors {
        guard tensor.range.lowerBound == reached,
            tensor.range.count == tensor.shape.reduce(tensor.dtype.size, *)
        else { throw Broken("the layout of \(tensor)") }
        reached = tensor.range.upperBound
    }
    guard reached == bytes.count else { throw Broken("the end") }
    var writer = SafeTensorsWriter(metadata: read.metadata)
    for tensor in read.tensors {
        try touch(tensor, of: read)
        writer.add(
            tensor.name, tensor.dtype, shape: tensor.shape,
            bytes: Array(try read.bytes(of: tensor.name)))
    }
    let again = try SafeTensorsFile(bytes: writer.encoded(), name: "y")
    guard again.metadata == read.metadata, again.tensors.count == read.tensors.count else {
        throw Broken("the copy")
    }
    for tensor in read.tensors {
        let copy = try again.entry(tensor.name)
        guard copy.shape == tensor.shape, copy.dtype == tensor.dtype,
            try again.bytes(of: tensor.name) == read.bytes(of: tensor.name)
        else { throw Broken("the copy of \(tensor)") }
    }
    return true
}

private func touch(_ tensor: SafeTensorsFile.Entry, of file: SafeTensorsFile) throws {
    let count =
        switch tensor.dtype {
        case .bool: (try? file.bools(of: tensor.name).count) ?? tensor.count
        case .f16, .bf16, .f32: try file.floats(of: tensor.name).count
        case .f64: try file.doubles(of: tensor.name).count
        case .u64: (try? file.ints(of: tensor.name).count) ?? tensor.count
        default: try file.ints(of: tensor.name).count
        }
    guard count == tensor.shape.reduce(1, *) else { throw Broken("the count of \(tensor)") }
}

struct Broken: Error, CustomStringConvertible {
    let description: String
    init(_ what: String) { description = "not kept: " + what }
}

/// Seeded random content for a writer: its tensors in the order they are to be added.
struct RandomTensors {
    var metadata: [String: String] = [:]
    var items: [(name: String, dtype: SafeTensorsFile.DType, shape: [Int], bytes: [UInt8])] = []

    init(_ draw: inout Draw) {
        for _ in 0..<draw.below(4) { metadata[Self.text(&draw)] = Self.text(&draw) }
        var names: Set<String> = []
        for _ in 0..<draw.below(8) {
            let name = Self.text(&draw)
            guard names.insert(name).inserted else { continue }
            let dtype = SafeTensorsFile.DType.allCases.randomElement(using: &draw)!
            let shape = (0..<draw.below(5)).map { _ in draw.below(5) }
            let count = shape.reduce(dtype.size, *)
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: draw.next()) }
            items.append((name, dtype, shape, bytes))
        }
    }

    var writer: SafeTensorsWriter {
        var writer = SafeTensorsWriter(metadata: metadata)
        for item in items {
            writer.add(item.name, item.dtype, shape: item.shape, bytes: item.bytes)
        }
        return writer
    }

    private static func text(_ draw: inout Draw) -> String {
        let alphabet: [Unicode.Scalar] = [
            "a", "b", ".", "0", "\"", "\\", "/", "\0", "\u{1F}", "\n", "\u{7F}", "é", "\u{301}",
            "\u{2028}", "\u{FFFF}", "😀", "字",
        ]
        var text = ""
        for _ in 0..<draw.below(12) { text.unicodeScalars.append(alphabet[draw.below(17)]) }
        return text
    }
}
