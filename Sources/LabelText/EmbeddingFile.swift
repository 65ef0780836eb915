import Datasets
import Diagnostics
import Files
import Foundation
import SafeTensors

extension LabelEmbeddings {
    /// Vectors from a file, a row for each of `classes`, matched by name; rows of other classes are
    /// left out.
    ///
    /// - safetensors (the file's name ends so): one tensor [d] per class under its name, or one
    ///   matrix [K, d] with the names, in the order of its rows, as a JSON list under `classes` in
    ///   the metadata. F32, F16 or BF16.
    /// - anything else: CSV, or TSV by its ending: name of the class, then d numbers. A first line
    ///   is a header if its first cell is `class`, `label`, `name` or empty, or its last is no number.
    ///
    /// - Throws: a `Problem` in one line for a class without a row or with two, rows of different
    ///   lengths, and values that are not finite.
    public static func file(_ path: String, classes: [String]) throws(Problem) -> LabelEmbeddings {
        let rows =
            path.lowercased().hasSuffix(".safetensors")
            ? try EmbeddingRows(SafeTensorsFile(path: path, limit: EmbeddingRows.sizeLimit))
            : try EmbeddingRows(table: path)
        return try rows.embeddings(of: classes, source: "file \(path)")
    }

    /// The bytes of a safetensors file that `file` reads back: a tensor [d] per class.
    ///
    /// - Throws: a `Problem` for a class that occurs twice or cannot be a tensor's name.
    public func encoded(metadata: [String: String] = [:]) throws(Problem) -> [UInt8] {
        var writer = SafeTensorsWriter(metadata: metadata)
        for (i, name) in classes.enumerated() {
            writer.add(name, floats: Array(self[i]), shape: [dimension])
        }
        return try writer.encoded()
    }
}

/// Vectors by name, as a file has them.
struct EmbeddingRows {
    static let sizeLimit = 1 << 30

    let file: String
    let dimension: Int
    /// Where the rows of each name begin in `values`.
    private let rows: [String: Int]
    private let values: [Float]

    init(_ file: SafeTensorsFile) throws(Problem) {
        self.file = file.name
        if let matrix = file.tensors.first, file.tensors.count == 1, matrix.shape.count == 2 {
            let names = try Self.names(file)
            guard names.count == matrix.shape[0] else {
                throw .nameCount(file.name, found: names.count, expected: matrix.shape[0])
            }
            if let twice = Self.repeated(names) { throw .rowTwice(file.name, twice) }
            dimension = matrix.shape[1]
            values = try file.floats(of: matrix.name)
            let width = dimension
            rows = Dictionary(
                uniqueKeysWithValues: names.enumerated().map { ($1, $0 * width) })
            return
        }
        guard let first = file.tensors.first else { throw .noRows(file.name) }
        var (rows, values): ([String: Int], [Float]) = ([:], [])
        for tensor in file.tensors {
            guard tensor.shape.count == 1 else {
                throw .notAVector(file.name, tensor.name, tensor.shape)
            }
            guard tensor.count == first.count else {
                throw .ragged(
                    file.name, tensor.name, found: tensor.count, first.name, expected: first.count)
            }
            rows[tensor.name] = values.count
            values += try file.floats(of: tensor.name)
        }
        (self.rows, self.values, dimension) = (rows, values, first.count)
    }

    init(table path: String) throws(Problem) {
        let bytes = try readFile(path, limit: Self.sizeLimit)
        // The reader of tables counts columns, refuses what is no number, and names the line.
        let table = try Table.dataset(
            bytes, file: path,
            options: TableOptions(header: Self.hasHeader(bytes), label: .index(0)), name: path)
        guard case .table(let cells, let columns) = table.features else { throw .noRows(path) }
        file = path
        values = cells
        dimension = columns.count
        var rows: [String: Int] = [:]
        for (row, label) in table.labels.enumerated() {
            let name = table.classNames[label]
            guard rows.updateValue(row * columns.count, forKey: name) == nil else {
                throw .rowTwice(path, name)
            }
        }
        self.rows = rows
    }

    func embeddings(of classes: [String], source: String) throws(Problem) -> LabelEmbeddings {
        try LabelEmbeddings.check(classes: classes.count, dimension: dimension, file)
        var chosen: [Float] = []
        chosen.reserveCapacity(classes.count * dimension)
        for name in classes {
            guard let start = rows[name] else {
                throw .noRow(file, name, among: rows.keys.sorted())
            }
            chosen += values[start..<start + dimension]
        }
        if let bad = chosen.firstIndex(where: { !$0.isFinite }) {
            throw .notFinite(file, classes[bad / dimension], chosen[bad])
        }
        return try LabelEmbeddings(
            source: source, classes: classes, dimension: dimension, values: chosen)
    }

    /// Whether every class has a row.
    func covers(_ classes: [String]) -> Bool { classes.allSatisfy { rows[$0] != nil } }

    private static func names(_ file: SafeTensorsFile) throws(Problem) -> [String] {
        guard let text = file.metadata["classes"],
            let names = try? JSON.read([String].self, text.utf8)
        else { throw .noNames(file.name) }
        try LabelEmbeddings.check(names: names, file: file.name)
        return names
    }

    private static func repeated(_ names: [String]) -> String? {
        var seen: Set<String> = []
        return names.first { !seen.insert($0).inserted }
    }

    private static func hasHeader(_ bytes: [UInt8]) -> Bool {
        let line = bytes.prefix { $0 != 0x0a && $0 != 0x0d }
        let cells = String(decoding: line, as: UTF8.self).split(
            omittingEmptySubsequences: false, whereSeparator: { $0 == "," || $0 == "\t" })
        let words = cells.map { $0.trimmingCharacters(in: .init(charactersIn: "\u{feff}\" ")) }
        guard let first = words.first, let last = words.last else { return false }
        return ["", "class", "label", "name"].contains(first.lowercased()) || Double(last) == nil
    }
}
