import Diagnostics

/// CSV or TSV tables of numbers: one sample a line, every column without another role an input.
public struct TableSource: DataSource {
    public static let kind = "csv"
    public static let keys = TableFile.keys + CodingKeys.allCases.map(\.rawValue)

    public var table: TableFile
    /// Columns that are not features, by name or index.
    public var drop: [TableOptions.Column] = []
    /// What stands before the fraction of a number.
    public var decimal: TableOptions.Decimal = .point
    /// Leave out lines that start with `@` (KEEL files).
    public var skipAt = false
    /// Channels, height, width, where the columns are pixels of images in 0…255.
    public var imageShape: [Int]?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case drop, decimal
        case skipAt = "skip-at-lines"
        case imageShape = "image-shape"
    }

    public init(_ table: TableFile) { self.table = table }

    public init(from decoder: any Decoder) throws {
        self.init(try TableFile(from: decoder))
        let values = try decoder.container(keyedBy: CodingKeys.self)
        drop = try values.decodeIfPresent([TableOptions.Column].self, forKey: .drop) ?? drop
        decimal = try values.decodeIfPresent(TableOptions.Decimal.self, forKey: .decimal) ?? decimal
        skipAt = try values.decodeIfPresent(Bool.self, forKey: .skipAt) ?? skipAt
        imageShape = try values.decodeIfPresent([Int].self, forKey: .imageShape)
    }

    public func encode(to encoder: any Encoder) throws {
        try table.encode(to: encoder)
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(drop, forKey: .drop)
        try values.encode(decimal, forKey: .decimal)
        try values.encode(skipAt, forKey: .skipAt)
        try values.encodeIfPresent(imageShape, forKey: .imageShape)
    }

    public func check() throws(Problem) { try Self.check(imageShape: imageShape) }

    public var files: [String] { table.files }

    public func read() throws(Problem) -> (learning: Dataset, test: Dataset?) {
        try check()
        var options = table.options
        (options.dropped, options.decimal, options.skipAtLines) = (drop, decimal, skipAt)
        let (learning, test) = try table.read(options)
        return (
            try shaped(learning),
            try test.map { (test) throws(Problem) in try shaped(test) }
        )
    }

    private func shaped(_ data: Dataset) throws(Problem) -> Dataset {
        guard let shape = imageShape else { return data }
        return try data.asImages(channels: shape[0], height: shape[1], width: shape[2])
    }
}
