import Diagnostics

/// What tables of numbers and tables of texts have in common: the files, the roles of the columns
/// that are no inputs, and how the lines are cut.
public struct TableFile: Codable, Hashable, Sendable {
    static let keys = CodingKeys.allCases.map(\.rawValue)

    public var path: String
    /// A second table for the test; one is held out if not given.
    public var testPath: String?
    /// Name or index of the label column.
    public var label: TableOptions.Column = -1
    /// A column with the true labels, where they are known; only ever used in reports.
    public var clean: TableOptions.Column?
    /// A column whose equal values must not be torn apart by a split.
    public var group: TableOptions.Column?
    /// A column that identifies samples: no feature, carried into every output.
    public var id: TableOptions.Column?
    /// What separates the cells; guessed from the file's ending if not given.
    public var delimiter: TableOptions.Delimiter?
    /// Whether the first line names the columns.
    public var header = true
    /// Names of the classes, in the order of their numbers; all that occur, sorted, if not given.
    public var classNames: [String]?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case path
        case testPath = "test-path"
        case label, clean, group, id, delimiter, header
        case classNames = "class-names"
    }

    public init(path: String, testPath: String? = nil) {
        self.path = path
        self.testPath = testPath
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            path: try values.path(at: .path),
            testPath: try values.decodeIfPresent(String.self, forKey: .testPath))
        func column(_ key: CodingKeys) throws -> TableOptions.Column? {
            try values.decodeIfPresent(TableOptions.Column.self, forKey: key)
        }
        label = try column(.label) ?? label
        clean = try column(.clean)
        group = try column(.group)
        id = try column(.id)
        delimiter = try values.decodeIfPresent(TableOptions.Delimiter.self, forKey: .delimiter)
        header = try values.decodeIfPresent(Bool.self, forKey: .header) ?? header
        classNames = try values.decodeIfPresent([String].self, forKey: .classNames)
    }

    var files: [String] { [path, testPath].compactMap(\.self) }

    /// How to read the first table, before what its kind adds.
    var options: TableOptions {
        var options = TableOptions(
            delimiter: delimiter, header: header, label: label, clean: clean, group: group,
            classNames: classNames)
        options.id = id
        return options
    }

    /// Reads both tables, the second by the names of the first one's columns: it may have them in
    /// another order.
    func read(_ options: TableOptions) throws(Problem) -> (learning: Dataset, test: Dataset?) {
        let learning = try Table.read(path, options: options)
        guard let testPath else { return (learning, nil) }
        var reading = learning.layout!.options(classNames: learning.classNames)
        reading.delimiter = delimiter
        return (learning, try Table.read(testPath, options: reading))
    }
}
