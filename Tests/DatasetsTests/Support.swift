import Diagnostics
import Foundation
import Randomness
import Testing

@testable import Datasets

/// The one line that `body` fails with, or "nothing thrown".
func failure<T>(_ body: () throws -> T) -> String {
    do {
        _ = try body()
        return "nothing thrown"
    } catch {
        return error is Problem ? "\(error)" : "another error: \(error)"
    }
}

/// `value` as big-endian bytes, as in an IDX header.
func big(_ values: UInt32...) -> [UInt8] {
    values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
}

/// A file of the given bytes in a folder of its own, removed with it.
final class Scratch {
    let folder = NSTemporaryDirectory() + "limbeck-" + UUID().uuidString

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = folder + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }
}

/// Random images, classes in turn.
func someImages(
    _ count: Int, channels: Int = 1, height: Int = 4, width: Int = 4, classes: Int = 2,
    seed: UInt64 = 1
) throws -> Dataset {
    var draw = Draw(seed: seed, .tests)
    let bytes = (0..<count * channels * height * width).map { _ in UInt8(draw.below(256)) }
    return try Dataset(
        name: "random",
        features: .images(bytes: bytes, channels: channels, height: height, width: width),
        labels: (0..<count).map { $0 % classes }, classNames: (0..<classes).map { "\($0)" })
}

/// Bytes from hex digits.
func hex(_ text: String) -> [UInt8] {
    let digits = text.utf8.map { UInt8(Int(String(UnicodeScalar($0)), radix: 16)!) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
