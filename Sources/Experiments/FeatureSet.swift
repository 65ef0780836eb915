import Diagnostics
import Files
import Foundation
import SafeTensors
import Torch

/// Frozen features of labelled samples: what linear self-distillation and `advise` work on.
///
/// In a file: safetensors with `features` [n, d] (F64, or F32, F16, BF16), `labels` [n] (integers
/// from 0: the given ones, which may be wrong), and optionally `clean` [n] (the true ones) and
/// `split` [n] (0 training, 1 validation, 2 test; all training if it is missing). Metadata:
/// `classes`, the names separated by line feeds, and `source`, where the features came from.
public struct FeatureSet: Sendable {
    public enum Part: Int, Sendable, CaseIterable { case train, validation, test }

    /// What messages call it: the file.
    public var name: String
    /// Row-major [n, d], finite.
    public let values: [Double]
    public let dimension: Int
    /// Given labels, 0 and up.
    public let labels: [Int]
    public let clean: [Int]?
    public let split: [Part]
    public let classNames: [String]
    /// Of what network or pixels, of what data.
    public let source: String

    public var count: Int { labels.count }

    /// Values at most: 2 GiB of float64.
    public static let mostValues = 1 << 28
    public static let mostClasses = 1000

    /// - Throws: `Problem` for lists of different lengths, values that are not finite, labels out of
    ///   range, and sizes above the limits.
    public init(
        name: String, values: [Double], dimension: Int, labels: [Int], clean: [Int]? = nil,
        split: [Part]? = nil, classNames: [String]? = nil, source: String = ""
    ) throws(Problem) {
        guard (1...LinearLimits.features).contains(dimension) else {
            throw .badFeatures(
                name, "features", "\(dimension) columns", "1 to \(LinearLimits.features)")
        }
        guard labels.count > 0, values.count == labels.count * dimension,
            values.count <= FeatureSet.mostValues
        else {
            throw .badFeatures(
                name, "features", "\(values.count) values for \(labels.count) labels",
                "\(dimension) for each label, at most \(FeatureSet.mostValues)")
        }
        if let i = values.firstIndex(where: { !(abs($0) < 1e100) }) {
            throw .badFeatures(
                name, "features, row \(i / dimension), column \(i % dimension)", "\(values[i])",
                "numbers below 1e100")
        }
        let classes = max(
            classNames?.count ?? 2, min((labels.max() ?? 0), FeatureSet.mostClasses) + 1)
        for (what, list) in [("labels", labels), ("clean", clean ?? [])] {
            if let i = list.firstIndex(where: {
                !(0..<(classNames?.count ?? FeatureSet.mostClasses)).contains($0)
            }) {
                throw .badFeatures(
                    name, "\(what)[\(i)]", "\(list[i])",
                    "0 to \((classNames?.count ?? FeatureSet.mostClasses) - 1)")
            }
        }
        if let clean, clean.count != labels.count {
            throw .badFeatures(name, "clean", "\(clean.count) labels", "\(labels.count)")
        }
        if let split, split.count != labels.count {
            throw .badFeatures(name, "split", "\(split.count) entries", "\(labels.count)")
        }
        self.name = name
        self.values = values
        self.dimension = dimension
        self.labels = labels
        self.clean = clean
        self.split = split ?? Array(repeating: .train, count: labels.count)
        self.classNames =
            classNames
            ?? (0..<max(classes, (clean?.max() ?? 0) + 1)).map { "\($0)" }
        self.source = source
    }

    /// Reads a file of `limbeck features`, or one made elsewhere with the same tensors.
    public init(path: String) throws(Problem) {
        let file = try SafeTensorsFile(path: path)
        let shape = try file.entry("features").shape
        guard shape.count == 2, shape[1] > 0 else {
            throw .badFeatures(path, "features", "shape \(shape)", "two dimensions, [n, d]")
        }
        var split: [Part]?
        if file["split"] != nil {
            var parts: [Part] = []
            for (i, raw) in try file.ints(of: "split").enumerated() {
                guard let part = Part(rawValue: raw) else {
                    throw .badFeatures(path, "split[\(i)]", "\(raw)", "0, 1 or 2")
                }
                parts.append(part)
            }
            split = parts
        }
        let names = file.metadata["classes"].map {
            $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
        if let names, !(2...FeatureSet.mostClasses).contains(names.count) {
            throw .badFeatures(
                path, "classes", "\(names.count)", "2 to \(FeatureSet.mostClasses)")
        }
        try self.init(
            name: path, values: file.doubles(of: "features"), dimension: shape[1],
            labels: file.ints(of: "labels"),
            clean: file["clean"] == nil ? nil : file.ints(of: "clean"), split: split,
            classNames: names, source: file.metadata["source"] ?? "")
    }

    public func write(to path: String, using files: some FileSystem) throws(Problem) {
        var metadata = ["source": source]
        if classNames.count > 1 {
            // Line feeds separate the names.
            metadata["classes"] = classNames.map { $0.replacing("\n", with: " ") }
                .joined(separator: "\n")
        }
        var writer = SafeTensorsWriter(metadata: metadata)
        writer.add("features", doubles: values, shape: [count, dimension])
        writer.add("labels", ints: labels, shape: [count])
        if let clean { writer.add("clean", ints: clean, shape: [count]) }
        writer.add("split", ints: split.map(\.rawValue), shape: [count])
        try writer.write(to: path, using: files)
    }

    public func members(_ part: Part) -> [Int] { split.indices.filter { split[$0] == part } }

    /// Rows of `members` as a float64 matrix [members, d].
    public func matrix(_ members: [Int]) -> Tensor {
        let d = dimension
        let rows = [Double](unsafeUninitializedCapacity: members.count * d) { buffer, filled in
            values.withUnsafeBufferPointer { values in
                for (row, i) in members.enumerated() {
                    for j in 0..<d { buffer[row * d + j] = values[i * d + j] }
                }
            }
            filled = members.count * d
        }
        return Tensor(rows, [members.count, d])
    }

    /// The same with every column shifted and scaled to mean 0 and variance 1 over `training`; columns
    /// that do not vary there are left out.
    ///
    /// - Throws: `Problem` if nothing varies.
    public func standardised(on training: [Int]) throws(Problem) -> FeatureSet {
        let d = dimension
        let n = Double(max(1, training.count))
        var mean = [Double](repeating: 0, count: d)
        var square = mean
        for i in training { for j in 0..<d { mean[j] += values[i * d + j] / n } }
        for i in training {
            for j in 0..<d {
                let x = values[i * d + j] - mean[j]
                square[j] += x * x / n
            }
        }
        // Rounding of a constant column is not variance.
        let kept = (0..<d).filter { square[$0] > 1e-20 * (1 + mean[$0] * mean[$0]) }
        guard !kept.isEmpty, !training.isEmpty else {
            throw .badFeatures(
                name, "features", "\(training.count) training rows that do not differ",
                "columns that vary")
        }
        let scale = square.map { 1 / $0.squareRoot() }
        let rows = (0..<count).flatMap { i in
            kept.map { (values[i * d + $0] - mean[$0]) * scale[$0] }
        }
        return try FeatureSet(
            name: name, values: rows, dimension: kept.count, labels: labels, clean: clean,
            split: split, classNames: classNames, source: source)
    }
}

enum LinearLimits { static let features = 8192 }
