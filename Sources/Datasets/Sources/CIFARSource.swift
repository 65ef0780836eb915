import Diagnostics

/// The binary version of CIFAR-10: a folder of `data_batch_1.bin` … and `test_batch.bin`.
public struct CIFAR10Source: CIFARSource {
    public static let kind = "cifar10"
    public static let family = CIFAR.ten
    public var folder: String

    public init(folder: String) { self.folder = folder }
}

/// The binary version of CIFAR-100: a folder of `train.bin` and `test.bin`.
public struct CIFAR100Source: CIFARSource {
    public static let kind = "cifar100"
    public static let family = CIFAR.hundred
    public var folder: String

    public init(folder: String) { self.folder = folder }
}

/// A folder of either family.
public protocol CIFARSource: DataSource {
    static var family: CIFAR { get }
    var folder: String { get }
    init(folder: String)
}

private enum Keys: String, CodingKey, CaseIterable { case folder }

extension CIFARSource {
    public static var keys: [String] { Keys.allCases.map(\.rawValue) }

    public init(from decoder: any Decoder) throws {
        self.init(folder: try decoder.container(keyedBy: Keys.self).path(at: .folder))
    }

    public var files: [String] { Self.files(in: folder) }

    public func read() throws(Problem) -> (learning: Dataset, test: Dataset?) {
        (
            try Self.family.read(folder: folder, part: .train),
            try Self.family.read(folder: folder, part: .test)
        )
    }
}
