/// How to read a table of text: which column is what.
public struct TableOptions: Codable, Equatable, Sendable {
    /// What stands between two cells.
    public enum Delimiter: String, Codable, Sendable, CaseIterable {
        case comma, tab, semicolon

        var byte: UInt8 {
            switch self {
            case .comma: 0x2c
            case .tab: 0x09
            case .semicolon: 0x3b
            }
        }
    }

    /// What stands before the fraction of a number.
    public enum Decimal: String, Codable, Sendable, CaseIterable {
        case point, comma

        var byte: UInt8 { self == .point ? UInt8(ascii: ".") : UInt8(ascii: ",") }
    }

    /// A column by its name in the header or its position from 0; −1 is the last one. In a recipe:
    /// a word or a number.
    public enum Column: Codable, Hashable, Sendable, ExpressibleByStringLiteral,
        ExpressibleByIntegerLiteral, CustomStringConvertible
    {
        case name(String)
        case index(Int)

        public init(stringLiteral value: String) { self = .name(value) }
        public init(integerLiteral value: Int) { self = .index(value) }

        public init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let index = try? value.decode(Int.self) {
                self = .index(index)
            } else {
                self = .name(try value.decode(String.self))
            }
        }

        public func encode(to encoder: any Encoder) throws {
            var value = encoder.singleValueContainer()
            switch self {
            case .name(let name): try value.encode(name)
            case .index(let index): try value.encode(index)
            }
        }

        public var description: String {
            switch self {
            case .name(let name): "\"\(name)\""
            case .index(let index): "\(index)"
            }
        }
    }

    /// Nil: tab for names that end in `.tsv` or `.tab` (or those with `.gz` behind), else comma.
    public var delimiter: Delimiter?
    /// Whether the first line names the columns.
    public var header: Bool
    /// The given labels. Nil: those of `layout`, or else the last column, where there are labels.
    public var label: Column?
    /// The true labels, where they are known; of the same classes.
    public var clean: Column?
    /// Samples with equal text here stay on one side of a split.
    public var group: Column?
    /// Identifies samples: no feature, carried into every output.
    public var id: Column?
    /// Columns to leave out: identifiers, dates, free text.
    public var dropped: [Column]
    public var decimal: Decimal = .point
    /// How an earlier table of the same data was read. Columns are then matched by their names, those
    /// it does not know are left out, `clean`, `group` and `dropped` are its own, and so are `label`,
    /// `id` and `text` where they are nil.
    public var layout: TableLayout?
    /// Leave out lines that start with `@` (the head of KEEL's .dat files).
    public var skipAtLines: Bool
    /// The classes in order. Nil: all that occur, sorted, by value where all are whole numbers.
    /// A test file needs the list of its training file.
    public var classNames: [String]?
    /// The column with the texts, where samples are texts: all columns without a role are then left
    /// out. Nil: a table of numbers.
    public var text: Column?
    /// Characters kept of each text, in `TextList.lengths`.
    public var length: Int
    /// Whether quotes around a cell mean anything. Without, a quote is a character like any other and
    /// no cell holds a delimiter or a line break: so are many TSV files.
    public var quotes: Bool

    public init(
        delimiter: Delimiter? = nil, header: Bool = true, label: Column? = nil,
        clean: Column? = nil, group: Column? = nil, dropped: [Column] = [],
        skipAtLines: Bool = false, classNames: [String]? = nil, text: Column? = nil,
        length: Int = 1024, quotes: Bool = true
    ) {
        self.delimiter = delimiter
        self.header = header
        self.label = label
        self.clean = clean
        self.group = group
        self.dropped = dropped
        self.skipAtLines = skipAtLines
        self.classNames = classNames
        self.text = text
        self.length = length
        self.quotes = quotes
    }

    /// A key left out has the default of the other initialiser.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            delimiter: try fields.decodeIfPresent(Delimiter.self, forKey: .delimiter),
            header: try fields.decodeIfPresent(Bool.self, forKey: .header) ?? true,
            label: try fields.decodeIfPresent(Column.self, forKey: .label),
            clean: try fields.decodeIfPresent(Column.self, forKey: .clean),
            group: try fields.decodeIfPresent(Column.self, forKey: .group),
            dropped: try fields.decodeIfPresent([Column].self, forKey: .dropped) ?? [],
            skipAtLines: try fields.decodeIfPresent(Bool.self, forKey: .skipAtLines) ?? false,
            classNames: try fields.decodeIfPresent([String].self, forKey: .classNames),
            text: try fields.decodeIfPresent(Column.self, forKey: .text),
            length: try fields.decodeIfPresent(Int.self, forKey: .length) ?? 1024,
            quotes: try fields.decodeIfPresent(Bool.self, forKey: .quotes) ?? true)
        id = try fields.decodeIfPresent(Column.self, forKey: .id)
        decimal = try fields.decodeIfPresent(Decimal.self, forKey: .decimal) ?? .point
        layout = try fields.decodeIfPresent(TableLayout.self, forKey: .layout)
    }

    func delimiter(for file: String) -> Delimiter {
        if let delimiter { return delimiter }
        var name = file.lowercased()
        if name.hasSuffix(".gz") { name.removeLast(3) }
        return name.hasSuffix(".tsv") || name.hasSuffix(".tab") ? .tab : .comma
    }

    /// What may stand between the cells of `file`, the likeliest first.
    func delimiters(for file: String) -> [Delimiter] {
        if let delimiter { return [delimiter] }
        guard let layout else { return [delimiter(for: file)] }
        // A name that ends in .tsv says what is inside, .csv says less than the other table.
        let named = delimiter(for: file)
        var likely = named == .tab ? [named, layout.delimiter] : [layout.delimiter, named]
        for other in Delimiter.allCases where !likely.contains(other) { likely.append(other) }
        return likely
    }
}
