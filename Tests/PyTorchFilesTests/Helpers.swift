import Diagnostics
import Files
import Foundation
import SafeTensors

@testable import PyTorchFiles

func fixture(_ name: String) throws -> [UInt8] {
    let path = Bundle.module.resourcePath! + "/Fixtures/\(name)"
    return try readFile(path)
}

/// The one sentence that reading `bytes` as `x.pth` ends with, or nil if it is accepted.
func refusal(_ bytes: [UInt8], part: String? = nil) -> String? {
    do throws(Problem) {
        _ = try PyTorchFile(bytes: bytes, name: "x.pth", part: part)
        return nil
    } catch {
        return error.kind == .data ? error.description : "wrong kind: \(error.description)"
    }
}

/// Reads `bytes`; an accepted file must give every tensor it promises. Returns whether it was
/// accepted, or what does not hold.
func examine(_ bytes: [UInt8]) throws -> Bool {
    let file: PyTorchFile
    do throws(Problem) {
        file = try PyTorchFile(bytes: bytes, name: "x.pth")
    } catch {
        guard error.kind == .data, error.description.hasPrefix("x.pth") else {
            throw Broken(error.description)
        }
        return false
    }
    for tensor in file.tensors {
        do throws(Problem) {
            let content = try file.bytes(of: tensor.name)
            guard content.count == tensor.count * tensor.dtype.size else {
                throw Problem(.internal, "the size of \(tensor)")
            }
        } catch {
            // Only truth values have bytes that are none.
            guard tensor.dtype == .bool, error.kind == .data else {
                throw Broken(error.description)
            }
        }
    }
    return true
}

struct Broken: Error, CustomStringConvertible {
    let description: String
    init(_ what: String) { description = "not kept: " + what }
}

// MARK: Archives by hand

/// A zip archive of stored entries; the checksums are computed here (CRC-32, polynomial
/// 0xEDB88320), not by the library that the reader uses.
struct Zip {
    var entries: [(name: String, content: [UInt8])] = []
    /// Sizes and offsets of the directory in zip64 fields.
    var isLarge = false
    var method: UInt16 = 0
    var flags: UInt16 = 0

    /// `data.pkl` as torch.save would store it, with storages of that many bytes under 0, 1, ….
    init(pickle: [UInt8], storages: [[UInt8]] = [[UInt8](repeating: 0, count: 16)]) {
        entries = [("a/data.pkl", pickle), ("a/version", Array("3\n".utf8))]
        for (i, storage) in storages.enumerated() { entries.append(("a/data/\(i)", storage)) }
    }

    var bytes: [UInt8] {
        var out: [UInt8] = []
        var directory: [UInt8] = []
        for (name, content) in entries {
            let start = out.count
            let text = Array(name.utf8)
            let crc = little(checksum(content), 4)
            out += [0x50, 0x4B, 3, 4] + little(20, 2) + little(flags, 2) + little(method, 2)
            out += little(0, 4) + crc + little(content.count, 4) + little(content.count, 4)
            out += little(text.count, 2) + little(0, 2) + text + content
            let huge = little(0xFFFF_FFFF, 4)
            let size = little(content.count, 4)
            directory += [0x50, 0x4B, 1, 2] + little(20, 2) + little(20, 2) + little(flags, 2)
            directory += little(method, 2) + little(0, 4) + crc
            directory += (isLarge ? huge + huge : size + size) + little(text.count, 2)
            directory += little(isLarge ? 28 : 0, 2) + little(0, 2) + little(0, 4) + little(0, 4)
            directory += (isLarge ? huge : little(start, 4)) + text
            if isLarge {
                directory += little(1, 2) + little(24, 2) + little(content.count, 8)
                directory += little(content.count, 8) + little(start, 8)
            }
        }
        let start = out.count
        out += directory
        if isLarge {
            let record = out.count
            out += [0x50, 0x4B, 6, 6] + little(44, 8) + little(45, 2) + little(45, 2)
            out += little(0, 4) + little(0, 4) + little(entries.count, 8)
            out += little(entries.count, 8) + little(directory.count, 8) + little(start, 8)
            out += [0x50, 0x4B, 6, 7] + little(0, 4) + little(record, 8) + little(1, 4)
        }
        out += [0x50, 0x4B, 5, 6] + little(0, 4)
        out +=
            isLarge
            ? little(0xFFFF, 2) + little(0xFFFF, 2)
            : little(entries.count, 2) + little(entries.count, 2)
        out +=
            isLarge
            ? little(0xFFFF_FFFF, 4) + little(0xFFFF_FFFF, 4)
            : little(directory.count, 4) + little(start, 4)
        return out + little(0, 2)
    }
}

func little(_ value: some BinaryInteger, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: UInt64(truncatingIfNeeded: value) >> (8 * $0)) }
}

private let table: [UInt32] = (0..<256).map { (i: UInt32) in
    (0..<8).reduce(i) { crc, _ in crc & 1 == 1 ? 0xEDB8_8320 ^ crc >> 1 : crc >> 1 }
}

func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(0xFFFF_FFFF) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
}

// MARK: Pickles by hand

/// Words of the pickle language, put together with `+`.
enum Pickle {
    static let start: [UInt8] = [0x80, 2]
    static let stop = code("."), mark = code("("), none = code("N")
    static let emptyTuple = code(")"), tuple = code("t"), tuple1: [UInt8] = [0x85]
    static let emptyList = code("]"), append = code("a"), emptyDictionary = code("}")
    static let set = code("s"), reduce = code("R"), build = code("b"), persistent = code("Q")
    static let `false`: [UInt8] = [0x89]

    static func code(_ letter: Unicode.Scalar) -> [UInt8] { [UInt8(ascii: letter)] }
    static func text(_ text: String) -> [UInt8] {
        code("X") + little(text.utf8.count, 4) + Array(text.utf8)
    }
    static func int(_ value: Int) -> [UInt8] { [0x8A, 8] + little(value, 8) }
    static func global(_ module: String, _ name: String) -> [UInt8] {
        code("c") + Array("\(module)\n\(name)\n".utf8)
    }
    static func ints(_ values: [Int]) -> [UInt8] { mark + values.flatMap(int) + tuple }
    static func storage(_ key: String, _ type: String, _ count: Int) -> [UInt8] {
        mark + text("storage") + global("torch", type) + text(key) + text("cpu") + int(count)
            + tuple + persistent
    }
    static func tensor(
        key: String = "0", type: String = "FloatStorage", stored: Int = 4, offset: Int = 0,
        _ shape: [Int], _ strides: [Int]
    ) -> [UInt8] {
        global("torch._utils", "_rebuild_tensor_v2") + mark + storage(key, type, stored)
            + int(offset) + ints(shape) + ints(strides) + `false`
            + global("collections", "OrderedDict") + emptyTuple + reduce + tuple + reduce
    }
    /// A dictionary of one name.
    static func file(_ value: [UInt8], name: String = "w") -> [UInt8] {
        start + emptyDictionary + text(name) + value + set + stop
    }
    static let system = global("os", "system")
    static let command = text("echo owned") + tuple1
}
