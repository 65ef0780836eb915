import Diagnostics
import Foundation

@testable import Datasets

/// What every reader of data sets promises for any bytes. Each function says whether they were read.
enum DatasetProperties {
    /// The first byte chooses how the table is read; the rest is the table.
    static func table(_ input: [UInt8]) throws -> Bool {
        let choice = input.first ?? 0
        let bytes = Array(input.dropFirst())
        var options = TableOptions(
            delimiter: [nil, .comma, .tab, .semicolon][Int(choice & 3)], header: choice & 4 != 0,
            skipAtLines: choice & 8 != 0, quotes: choice & 16 != 0)
        let isText = choice & 32 != 0
        if isText {
            options.text = .index(0)
            options.length = 16
        }
        let isLabelled = try accepted {
            let data = try Table.dataset(bytes, file: "input.csv", options: options, name: "input")
            try check(data)
            let columns = data.columns?.count ?? 0
            switch data.features {
            case .table(let values, _):
                try promise(values.count == data.count * columns, "\(values.count) values")
                try promise(values.allSatisfy(\.isFinite), "a value is not finite")
            case .text(let texts, _): try promise(texts.count == data.count, "texts lost")
            case .images: throw BrokenPromise("images in a table")
            }
        }
        let isUnlabelled = try accepted {
            let data = try Table.unlabelled(
                bytes, file: "input.csv", options: options, classNames: ["a", "b"])
            try check(data)
        }
        return isLabelled || isUnlabelled
    }

    /// Images, labels, and both as a pair.
    static func idx(_ bytes: [UInt8]) throws -> Bool {
        let hasImages = try accepted {
            let (shape, values) = try IDX.images(bytes, file: "input")
            try promise(shape.count == 4 && shape.allSatisfy { $0 > 0 }, "shape \(shape)")
            try promise(values.count == shape.reduce(1, *), "\(values.count) bytes of \(shape)")
        }
        let hasLabels = try accepted {
            let labels = try IDX.labels(bytes, file: "input")
            try promise(labels.allSatisfy { $0 >= 0 }, "a label below 0")
            guard labels.allSatisfy({ $0 < 256 }) else { return }
            let copy = try IDX.labels(IDX.encoded(labels: labels), file: "copy")
            try promise(copy == labels, "labels change when they are written")
        }
        _ = try accepted {
            let half = bytes.count / 2
            try check(
                try IDX.dataset(
                    images: Array(bytes[..<half]), file: "input", labels: Array(bytes[half...]),
                    labelFile: "labels", name: "input"))
        }
        return hasImages || hasLabels
    }

    static func cifar(_ bytes: [UInt8]) throws -> Bool {
        var isRead = false
        for kind in [CIFAR.ten, .hundred] {
            let one = try accepted {
                let data = try kind.dataset([("input", bytes)], name: "input")
                try check(data)
                try promise(
                    data.count == bytes.count / (kind == .ten ? 3073 : 3074), "samples lost")
            }
            isRead = isRead || one
        }
        return isRead
    }

    /// What comes out is bounded by the limit, and by what the input can hold.
    static func gunzip(_ bytes: [UInt8]) throws -> Bool {
        try accepted {
            let limit = 1 << 20
            let (content, outcome) = try Gunzip.inflate(bytes, file: "input", limit: limit)
            try promise(content.count <= limit, "\(content.count) bytes")
            try promise(content.count <= Gunzip.mostBytes(from: bytes.count), "more than can be")
            try promise(outcome == .whole || content.count == limit, "cut below the limit")
            let first = try Gunzip.inflate(bytes, file: "input", limit: 7).bytes
            try promise(content.starts(with: first), "another beginning")
        }
    }

    /// A label file for six samples of three classes.
    static func labelFile(_ bytes: [UInt8]) throws -> Bool {
        let path =
            "\(NSTemporaryDirectory())/limbeck-labels-\(ProcessInfo.processInfo.processIdentifier)"
        try Data(bytes).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let noise = LabelNoise(.file, path: path)
        return try accepted {
            let made = try noise.apply(
                labels: [0, 1, 2, 0, 1, 2], classCount: 3, classNames: ["cat", "dog", "1"], seed: 0)
            try promise(made.labels.count == 6, "labels lost")
            try promise(made.labels.allSatisfy { (0..<3).contains($0) }, "a label out of range")
        }
    }

    private static func check(_ data: Dataset) throws {
        try promise(data.count > 0, "no samples")
        try promise(
            data.labels.allSatisfy { (0..<data.classCount).contains($0) }, "a label out of range")
        try promise(Set(data.classNames).count == data.classCount, "two classes of one name")
    }
}
