import Diagnostics

/// Samples that a program has in memory. A recipe cannot name them: what it keeps is their name and hash.
public struct MemorySource: DataSource {
    public static let kind = "memory"
    public static let keys = CodingKeys.allCases.map(\.rawValue)

    public let learning: Dataset
    public let test: Dataset?
    private let sha256: String

    /// - Parameter test: nil: a share of `learning` is held out.
    public init(_ learning: Dataset, test: Dataset? = nil) {
        self.learning = learning
        self.test = test
        sha256 = learning.sha256 + (test?.sha256 ?? "")
    }

    enum CodingKeys: String, CodingKey, CaseIterable { case name, sha256 }

    public init(from decoder: any Decoder) throws { throw Problem.dataInMemory() }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(learning.name, forKey: .name)
        try values.encode(sha256, forKey: .sha256)
    }

    public static func == (a: MemorySource, b: MemorySource) -> Bool {
        a.sha256 == b.sha256 && a.learning.name == b.learning.name
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(sha256) }

    public var textLength: Int? { learning.isText ? learning.sampleShape[1] : nil }

    public func read() throws(Problem) -> (learning: Dataset, test: Dataset?) { (learning, test) }
}

extension Dataset {
    /// Images from bytes.
    ///
    /// - Parameters:
    ///   - images: row-major [samples, channels, height, width], 0 to 255.
    ///   - shape: [channels, height, width].
    ///   - labels: given ones, from 0.
    ///   - clean: the true ones, where they are known; they are never trained on.
    ///   - classNames: one for each class.
    /// - Throws: for the first thing that does not fit.
    public init(
        name: String, images: [UInt8], shape: [Int], labels: [Int], clean: [Int]? = nil,
        classNames: [String]
    ) throws(Problem) {
        guard shape.count == 3 else {
            throw .dataRange(
                "shape", found: "\(shape)", expected: "[channels, height, width]")
        }
        try self.init(
            name: name,
            features: .images(bytes: images, channels: shape[0], height: shape[1], width: shape[2]),
            labels: labels, clean: clean, classNames: classNames)
    }

    /// Rows of numbers.
    ///
    /// - Parameter rows: row-major [samples, columns].
    public init(
        name: String, rows: [Float], columns: [String], labels: [Int], clean: [Int]? = nil,
        classNames: [String]
    ) throws(Problem) {
        try self.init(
            name: name, features: .table(rows, columns: columns), labels: labels, clean: clean,
            classNames: classNames)
    }
}

extension LabelNoise {
    /// The labels stay as they are.
    public static let none = LabelNoise(.clean)

    /// Every label becomes another class with probability `rate`, 0 to 1, all other classes alike.
    public static func symmetric(rate: Double, seed: UInt64? = nil) -> LabelNoise {
        LabelNoise(.symmetric, rate: rate, seed: seed)
    }

    /// Every label becomes the next class with probability `rate`, 0 to 1.
    public static func pairflip(rate: Double, seed: UInt64? = nil) -> LabelNoise {
        LabelNoise(.pairflip, rate: rate, seed: seed)
    }

    /// Classes become what they are most often mistaken for, with probability `rate`, 0 to 1.
    public static func asymmetric(rate: Double, map: Map, seed: UInt64? = nil) -> LabelNoise {
        LabelNoise(.asymmetric, rate: rate, map: map, seed: seed)
    }
}
