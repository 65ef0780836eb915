import Diagnostics

/// CSV or TSV tables with a column of text: one sample a line. Columns without a role are left out.
public struct TextSource: DataSource {
    public static let kind = "text"
    public static let keys = TableFile.keys + CodingKeys.allCases.map(\.rawValue)

    public var table: TableFile
    /// Name or index of the text column.
    public var text: TableOptions.Column = "text"
    /// Characters kept of each text, in `TextList.lengths`.
    public var length = 1024
    /// Whether cells may be in quotes.
    public var quotes = true

    enum CodingKeys: String, CodingKey, CaseIterable { case text, length, quotes }

    public init(_ table: TableFile) { self.table = table }

    public init(from decoder: any Decoder) throws {
        self.init(try TableFile(from: decoder))
        let values = try decoder.container(keyedBy: CodingKeys.self)
        text = try values.decodeIfPresent(TableOptions.Column.self, forKey: .text) ?? text
        length = try values.decodeIfPresent(Int.self, forKey: .length) ?? length
        quotes = try values.decodeIfPresent(Bool.self, forKey: .quotes) ?? quotes
    }

    public func encode(to encoder: any Encoder) throws {
        try table.encode(to: encoder)
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(text, forKey: .text)
        try values.encode(length, forKey: .length)
        try values.encode(quotes, forKey: .quotes)
    }

    public func check() throws(Problem) {
        let lengths = TextList.lengths
        guard lengths.contains(length) else {
            throw .dataRange(
                "length", found: "\(length)",
                expected: "\(lengths.lowerBound) to \(lengths.upperBound)")
        }
    }

    public var files: [String] { table.files }
    public var textLength: Int? { length }

    public func read() throws(Problem) -> (learning: Dataset, test: Dataset?) {
        var options = table.options
        (options.text, options.length, options.quotes) = (text, length, quotes)
        return try table.read(options)
    }
}
