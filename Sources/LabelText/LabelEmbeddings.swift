import Diagnostics
import Files
import Randomness

/// One vector per class: what the generator of distillation without data is told instead of noise
/// (NAYER, arXiv 2310.00258, "label-text embedding").
///
/// Vectors are used as they are: a batch norm in front of the noisy layer takes out offset and scale,
/// so that only the differences between classes count. Invariants, checked by every maker: `values`
/// has `classes.count · dimension` elements, all finite; at least one class and one dimension.
public struct LabelEmbeddings: Equatable, Sendable {
    /// What the vectors are, in a few words for reports: `one-hot`, `random vectors, seed 0`.
    public let source: String
    /// In the order of the class numbers.
    public let classes: [String]
    /// d, 1 to `largestDimension`.
    public let dimension: Int
    /// [K, d], row-major.
    public let values: [Float]

    public static let largestDimension = 65_536
    /// K · d is at most this: half a gigabyte.
    public static let largestCount = 1 << 27

    init(
        source: String, classes: [String], dimension: Int, values: [Float]
    ) throws(Problem) {
        precondition(values.count == classes.count * dimension, "K·d values")
        try Self.check(classes: classes.count, dimension: dimension, source)
        if let bad = values.firstIndex(where: { !$0.isFinite }) {
            throw .notFinite(source, classes[bad / dimension], values[bad])
        }
        (self.source, self.classes) = (source, classes)
        (self.dimension, self.values) = (dimension, values)
    }

    /// Refuses names that would take for ever to compare.
    public static func check(names: [String], file: String? = nil) throws(Problem) {
        for name in names {
            if let fault = NameRule.fault(in: name) { throw .nameFault(file, fault) }
        }
    }

    static func check(classes: Int, dimension: Int, _ source: String) throws(Problem) {
        guard classes > 0 else { throw .noClasses() }
        guard (1...largestDimension).contains(dimension),
            classes <= largestCount / dimension
        else { throw .dimension(source, found: dimension, classes: classes) }
    }

    /// Row `index` of the table, d values.
    public subscript(index: Int) -> ArraySlice<Float> {
        values[index * dimension..<(index + 1) * dimension]
    }

    /// Classes that a generator cannot tell apart because their vectors are equal, as with ImageNet's
    /// two cranes: groups of two or more, in the order of the classes.
    public var identicalClasses: [[String]] {
        var groups: [[Float]: [String]] = [:]
        var order: [[Float]] = []
        for (i, name) in classes.enumerated() {
            let row = Array(self[i])
            if groups[row] == nil { order.append(row) }
            groups[row, default: []].append(name)
        }
        return order.compactMap { groups[$0]!.count > 1 ? groups[$0] : nil }
    }
}

extension LabelEmbeddings {
    /// The unit vectors, d = K: no text at all, the plainest thing to compare with.
    public static func oneHot(classes: [String]) throws(Problem) -> LabelEmbeddings {
        let count = classes.count
        try check(classes: count, dimension: max(1, count), "one-hot")
        var values = [Float](repeating: 0, count: count * count)
        for i in 0..<count { values[i * count + i] = 1 }
        return try LabelEmbeddings(
            source: "one-hot", classes: classes, dimension: count, values: values)
    }

    /// Standard normal vectors that say nothing of the classes.
    ///
    /// - Parameter dimension: 1 to `largestDimension`.
    public static func random(
        classes: [String], dimension: Int, seed: UInt64
    ) throws(Problem) -> LabelEmbeddings {
        try check(classes: classes.count, dimension: dimension, "random vectors")
        var values: [Float] = []
        values.reserveCapacity(classes.count * dimension)
        for i in classes.indices {
            var draw = Draw(seed: seed, .labelVectors, sample: i)
            for _ in 0..<dimension { values.append(Float(draw.normal())) }
        }
        return try LabelEmbeddings(
            source: "random vectors, seed \(seed)", classes: classes, dimension: dimension,
            values: values)
    }
}
