/// A table that the terminal (`TextTable`), Markdown and the page print alike.
///
/// Cells are plain text. A row that is too short is filled with empty cells, a row that is too
/// long is cut to the columns. Where a column's cells contain `±`, the signs are aligned.
public struct TableModel: Codable, Equatable, Sendable {
    public enum Alignment: String, Codable, Sendable { case leading, trailing }

    public struct Column: Codable, Equatable, Sendable {
        public var title: String
        public var alignment: Alignment

        public init(_ title: String, _ alignment: Alignment = .leading) {
            self.title = title
            self.alignment = alignment
        }
    }

    public var title: String
    public var columns: [Column]
    public var rows: [[String]]
    /// A sentence under the table.
    public var note: String?

    public init(
        title: String = "", columns: [Column], rows: [[String]] = [], note: String? = nil
    ) {
        self.title = title
        self.columns = columns
        self.rows = rows
        self.note = note
    }
}
