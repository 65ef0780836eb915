import Diagnostics

/// The binary version of CIFAR-10: a folder of `data_batch_1.bin` … and `test_batch.bin`.
public struct CIFAR10Source: DataSource {
    public static let kind = "cifar10"
    public static let keys = CodingKeys.allCases.map(\.rawValue)

    public var folder: String

    enum CodingKeys: String, CodingKey, CaseIterable { case folder }

    public init(folder: String) { self.folder = folder }

    public init(from decoder: any Decoder) throws {
        folder = try decoder.container(keyedBy: CodingKeys.self).path(at: .folder)
    }

    public var files: [String] { Self.files(in: folder) }

    public func read() throws(Problem) -> (learning: Dataset, test: Dataset?) {
        (
            try CIFAR.ten.read(folder: folder, part: .train),
            try CIFAR.ten.read(folder: folder, part: .test)
        )
    }
}

/// The binary version of CIFAR-100: a folder of `train.bin` and `test.bin`.
public struct CIFAR100Source: DataSource {
    public static let kind = "cifar100"
    public static let keys = CodingKeys.allCases.map(\.rawValue)

    public var folder: String

    enum CodingKeys: String, CodingKey, CaseIterable { case folder }

    public init(folder: String) { self.folder = folder }

    public init(from decoder: any Decoder) throws {
        folder = try decoder.container(keyedBy: CodingKeys.self).path(at: .folder)
    }

    public var files: [String] { Self.files(in: folder) }

    public func read() throws(Problem) -> (learning: Dataset, test: Dataset?) {
        (
            try CIFAR.hundred.read(folder: folder, part: .train),
            try CIFAR.hundred.read(folder: folder, part: .test)
        )
    }
}
