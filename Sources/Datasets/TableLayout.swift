/// How a table was read: its columns in the order of the file, what each was for, and how its text was
/// cut. Another table of the same data (a test set, samples to predict) is read by it, so that columns
/// are matched by name and not by position.
public struct TableLayout: Codable, Hashable, Sendable {
    public enum Role: String, Codable, Sendable {
        case feature, text, label, clean, group, id, dropped
    }

    public struct Column: Codable, Hashable, Sendable {
        /// The name in the header; the position from 0 where there is none.
        public var name: String
        public var role: Role
    }

    public var columns: [Column]
    /// Whether the first line names the columns.
    public var header: Bool
    public var delimiter: TableOptions.Delimiter
    public var decimal: TableOptions.Decimal
    public var skipAtLines: Bool
    public var quotes: Bool
    /// Characters kept of each text.
    public var length: Int

    /// Names of the columns with this role, in order.
    public func names(_ role: Role) -> [String] {
        columns.filter { $0.role == role }.map(\.name)
    }

    /// Names of the columns that a network sees.
    public var inputs: [String] {
        columns.filter { $0.role == .feature || $0.role == .text }.map(\.name)
    }

    /// The column whose cells outputs repeat: the one with that role, or else a column that was dropped
    /// and whose name says that it identifies samples (`Id`, `image_id`, `filename`).
    public var identifier: String? {
        names(.id).first ?? names(.dropped).first(where: TableLayout.isIdentifier)
    }

    private static func isIdentifier(_ name: String) -> Bool {
        let word = name.lowercased()
        return ["id", "index", "key", "uuid", "guid", "name", "file", "filename", "path"].contains(
            word)
            || ["_id", "-id", " id"].contains { word.hasSuffix($0) } || name.hasSuffix("Id")
            || name.hasSuffix("ID")
    }

    /// How to read another table of the same data.
    ///
    /// - Parameter classNames: those of the table that was read first.
    public func options(classNames: [String]?) -> TableOptions {
        var options = TableOptions(
            header: header, skipAtLines: skipAtLines, classNames: classNames,
            length: length, quotes: quotes)
        options.decimal = decimal
        options.layout = self
        return options
    }
}
