import Audit
import Datasets
import Diagnostics
import Files
import Foundation
import Training

/// A table whose labels are audited without a recipe: one is made for it.
///
/// Every row is judged: for the audit, a file with a row of each class stands in the place of a test split, and
/// nobody looks at it. The recipe that the user gets has the usual one.
public struct TableAudit {
    /// Which columns are what, as the user says it: names, or numbers from 0.
    public struct Columns: Codable, Equatable, Sendable {
        public var label: String?
        public var annotators: [String]
        public var text: String?
        public var id: String?
        public var group: String?
        public var drop: [String]

        public init(
            label: String? = nil, annotators: [String] = [], text: String? = nil,
            id: String? = nil, group: String? = nil, drop: [String] = []
        ) {
            (self.label, self.annotators, self.text) = (label, annotators, text)
            (self.id, self.group, self.drop) = (id, group, drop)
        }
    }

    public let table: UserTable
    public let columns: Columns
    /// The column of given labels; with annotators, of their consensus, in a table that is made.
    private let label: Int?
    private let annotators: [Int]
    /// Given labels in words; of the consensus where there are annotators.
    private let words: [String]
    let annotations: Annotations?
    private let classes: [String]

    public init(_ path: String, _ columns: Columns) throws(Problem) {
        table = try UserTable(path)
        self.columns = columns
        let table = table
        let annotators = try columns.annotators.map { (word) throws(Problem) in
            try table.column(word, option: "--annotators")
        }
        self.annotators = annotators
        guard annotators.isEmpty else {
            if let label = columns.label { throw .labelAndAnnotators(label) }
            guard Set(annotators).count == annotators.count, annotators.count > 1 else {
                throw .annotatorColumns(columns.annotators)
            }
            label = nil
            let cells = table.rows.map { row in annotators.map { row[$0] } }
            let classes = TableAudit.classes(cells.flatMap { $0.filter { !$0.isEmpty } })
            self.classes = classes
            let number = Dictionary(uniqueKeysWithValues: zip(classes, 0...))
            if let row = cells.firstIndex(where: { $0.allSatisfy(\.isEmpty) }) {
                throw .rowWithoutLabel(path, table.lines[row])
            }
            let all = try Annotations(
                cells.map { $0.map { $0.isEmpty ? nil : number[$0] } }, classes: classes.count)
            annotations = all
            words = all.majority().map { classes[$0] }
            return
        }
        let place = try table.column(columns.label ?? "-1", option: "--label")
        (label, annotations) = (place, nil)
        words = table.cells(place)
        if let row = words.firstIndex(of: "") { throw .rowWithoutLabel(path, table.lines[row]) }
        classes = TableAudit.classes(words)
    }

    /// All that occur, sorted, by value where all are whole numbers.
    private static func classes(_ words: [String]) -> [String] {
        let different = Set(words)
        let numbers = different.compactMap { word in Int(word).map { (word, $0) } }
        guard numbers.count == different.count else { return different.sorted() }
        return numbers.sorted { $0.1 < $1.1 }.map(\.0)
    }

    // MARK: Files

    private static let tableName = "table.csv"
    private static let testName = "test.csv"
    static let consensus = "consensus"

    /// The table with the annotators' consensus, and a row of each class for the test that there is not.
    public func files() -> [(name: String, bytes: [UInt8])] {
        var first: [String: Int] = [:]
        for (row, word) in words.enumerated() where first[word] == nil { first[word] = row }
        let chosen = first.values.sorted()
        let part = table.subset(chosen)
        guard !annotators.isEmpty else { return [(TableAudit.testName, part.bytes)] }
        let others = Set(annotators)
        return [
            (TableAudit.tableName, table.replacing(others, with: consensusName, words)),
            (
                TableAudit.testName,
                part.replacing(others, with: consensusName, chosen.map { words[$0] })
            ),
        ]
    }

    private var consensusName: String {
        var name = TableAudit.consensus
        while table.names.contains(name) { name += "-of-annotators" }
        return name
    }

    /// The user's table with labels in the place of given ones; with annotators, with a column more.
    ///
    /// - Parameters:
    ///   - labels: by row; of other rows the label stays.
    ///   - leftOut: rows that are not there any more.
    public func corrected(_ labels: [Int: String], without leftOut: Set<Int>) -> [UInt8] {
        let kept = table.rows.indices.filter { !leftOut.contains($0) }
        let rest = table.subset(kept)
        let column = kept.map { labels[$0] ?? words[$0] }
        guard let label else { return rest.replacing([], with: consensusName, column) }
        return rest.setting(label, Dictionary(uniqueKeysWithValues: zip(column.indices, column)))
    }

    // MARK: Recipe

    /// A recipe of the table as it is audited.
    ///
    /// - Parameter own: as ``recipe(folder:name:method:)`` made it, with what the user changed.
    public static func judgingAll(_ own: RecipeFile, folder: String) throws(Problem) -> RecipeFile {
        try own.setting("data.test-path", word: "\(folder)/\(testName)")
    }

    /// The recipe as the user gets it.
    ///
    /// - Parameter folder: of the audit, where ``files()`` are.
    public func recipe(
        folder: String, name: String, method: String
    ) throws(Problem) -> RecipeFile {
        let isText = columns.text != nil
        var file = try RecipeFile(
            text: isText ? TableAudit.textRecipe : TableAudit.numberRecipe, file: table.path)
        let path = annotators.isEmpty ? table.path : "\(folder)/\(TableAudit.tableName)"
        file = try file.setting("name", word: name).setting("data.path", word: path)
            .setting("data.delimiter", word: table.delimiter.rawValue)
            .setting("method.name", word: method)
        func set(_ key: String, _ word: String, _ option: String) throws(Problem) {
            let place = try table.column(word, option: option)
            file = try file.setting(key, word: table.names[place])
        }
        if let label {
            file = try file.setting("data.label", word: table.names[label])
        } else {
            file = try file.setting("data.label", word: consensusName)
                .setting("data.class-names", words: classes)
        }
        if let text = columns.text { try set("data.text", text, "--text") }
        if let id = columns.id { try set("data.id", id, "--id") }
        if let group = columns.group { try set("data.group", group, "--group") }
        // Of a table of texts every column without a role is left out.
        if !columns.drop.isEmpty, !isText {
            var names: [String] = []
            for word in columns.drop {
                names.append(table.names[try table.column(word, option: "--drop")])
            }
            file = try file.setting("data.drop", words: names)
        }
        let (epochs, batch) = TableAudit.length(table.rows.count)
        return try file.setting("training.epochs=\(epochs)").setting("training.batch=\(batch)")
    }

    /// About four thousand steps, in 15 to 60 epochs.
    static func length(_ samples: Int) -> (epochs: Int, batch: Int) {
        let batch = samples < 2000 ? 32 : samples < 8000 ? 64 : 128
        let steps = max(1, samples / batch)
        return (min(60, max(15, 4000 / steps)), batch)
    }

    private static let numberRecipe = """
        data: {kind: csv}
        model: {name: mlp, hidden: [128]}
        optimizer: {kind: adamw, learning-rate: 0.003}
        schedule: {kind: cosine}
        training: {ema: 0, selection: nll}
        """
    private static let textRecipe = """
        data: {kind: text}
        model: {name: fasttext}
        optimizer: {kind: adamw, learning-rate: 0.01}
        schedule: {kind: cosine}
        training: {ema: 0, selection: nll}
        """

    // MARK: Annotators

    /// Who gave how many labels, and how good they are.
    ///
    /// - Parameter table: probabilities of all rows by networks that did not see them; nil: by votes alone.
    func qualities(_ probabilities: ProbabilityTable?) throws(Problem)
        -> [AuditResult.AnnotatorQuality]
    {
        guard let annotations else { return [] }
        let consensus =
            try probabilities.map { (table) throws(Problem) in try Consensus(annotations, table) }
            ?? Consensus(annotations)
        return annotators.enumerated().map { j, column in
            let cells = table.cells(column)
            let given = cells.indices.filter { !cells[$0].isEmpty }
            let equal = given.count { cells[$0] == classes[consensus.labels[$0]] }
            let agreement = Double(equal) / Double(max(1, given.count))
            return AuditResult.AnnotatorQuality(
                name: table.names[column], labels: given.count, agreement: agreement,
                quality: consensus.annotatorQuality[j] ?? agreement)
        }
    }
}
