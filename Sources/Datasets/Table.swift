import Diagnostics
import Files

/// Reader of comma-, tab- or semicolon-separated tables (RFC 4180, UTF-8), plain or
/// gzip-compressed: one sample a line, a label column, the other columns numbers.
///
/// Cells that are empty or not a finite number are refused with line and column: how to fill gaps
/// is the user's decision. So are labels that stand for an absent value (`NaN`, `null`), unless
/// `options.classNames` lists them. Numbers are written with a point (or a comma, as
/// `options.decimal` says), with or without an exponent, and are rounded to float32; −0 becomes 0.
/// Memory is at most a small multiple of the file.
///
/// With `options.text`, samples are the texts of one column instead. A text may be empty, and may
/// hold anything that UTF-8 can; only its first `options.length` characters are kept.
///
/// With `options.layout`, the table is another one of data that was read before: its columns are
/// found by their names, in whatever order and with whatever others between them. Without a header
/// they stand as in the layout, with or without those that are no features.
public enum Table {
    /// More content than this is not decompressed.
    public static let gzipLimit = 1 << 29
    /// More classes than this are taken for a mistaken label column.
    public static let mostClasses = 10_000

    public static func read(
        _ file: String, options: TableOptions = TableOptions(), name: String? = nil
    ) throws(Problem) -> Dataset {
        try dataset(try readFile(file), file: file, options: options, name: name ?? file)
    }

    /// The same from bytes in memory; the file name serves the delimiter and the error messages.
    public static func dataset(
        _ bytes: [UInt8], file: String, options: TableOptions = TableOptions(), name: String
    ) throws(Problem) -> Dataset {
        var reading = try Reading(bytes, file: file, options: options, labelled: true)
        try reading.readRows()
        let names = try reading.classNames()
        return try Dataset(
            name: name, features: reading.features,
            labels: try reading.classes(reading.labels, names),
            clean: reading.has(.clean) ? try reading.classes(reading.clean, names) : nil,
            groups: reading.has(.group) ? reading.groups.ids : nil, classNames: names,
            ids: reading.has(.id) ? reading.ids : nil, layout: reading.layout)
    }

    /// A table's samples without labels, for prediction: columns of labels and groups are left out
    /// where they exist, and the labels of the data set are all 0.
    ///
    /// - Parameter classNames: of the network that is going to predict.
    public static func unlabelled(
        _ bytes: [UInt8], file: String, options: TableOptions = TableOptions(),
        classNames: [String]
    ) throws(Problem) -> Dataset {
        var reading = try Reading(bytes, file: file, options: options, labelled: false)
        try reading.readRows()
        return try Dataset(
            name: file, features: reading.features,
            labels: [Int](repeating: 0, count: reading.lines.count), classNames: classNames,
            ids: reading.has(.id) ? reading.ids : nil, layout: reading.layout)
    }

    /// Different words and the order in which they came.
    struct Words {
        var ids: [Int] = []
        private(set) var names: [String] = []
        private var known: [String: Int] = [:]

        mutating func append(_ text: String) { ids.append(number(of: text)) }

        /// The number of a word, a new one for a new word.
        mutating func number(of text: String) -> Int {
            if let id = known[text] { return id }
            known[text] = names.count
            names.append(text)
            return names.count - 1
        }
    }
}
