import Diagnostics
import Files

/// `labels.csv` of a folder of pictures: a header, then a row for each picture with its `path` from the folder,
/// its label, and, where there are such columns, a group and a `split` (train, val or test). Further columns are
/// passed over, so that several people's labels can stand in one file.
struct LabelTable {
    private(set) var entries: [PictureFolder.Entry] = []
    private let file: String

    /// Bytes of the file.
    private static let limit = 1 << 29

    init(_ source: FolderSource, _ walk: inout FolderWalk) throws(Problem) {
        file = "\(source.path)/\(PictureFolder.tableName)"
        let bytes = try readFile(file, limit: LabelTable.limit)
        try checkUTF8(bytes, file: file)
        var scanner = Table.Scanner(
            bytes, file: file, options: TableOptions(), delimiter: .comma)
        guard try scanner.next() else { throw .emptyTable(file) }
        let names = scanner.cells.indices.map { scanner.text($0) }
        let columns = try Columns(names, source, file: file)
        let classes = source.classNames.map { Set($0) }
        var lineOf: [String: Int] = [:]
        while try scanner.next() {
            let line = scanner.recordLine
            guard scanner.cells.count == names.count else {
                throw .ragged(
                    file, line: line, found: scanner.cells.count, expected: names.count)
            }
            func cell(_ column: Int) throws(Problem) -> String {
                let text = scanner.text(column)
                if let fault = NameRule.fault(in: text) {
                    throw .unusableName(file, line: line, column: names[column], fault)
                }
                guard !text.isEmpty else {
                    throw .emptyCell(file, line: line, column: names[column])
                }
                return text
            }
            func word(_ column: Int) throws(Problem) -> String {
                let text = try cell(column)
                if let classes {
                    guard classes.contains(text) else {
                        throw .unknownClass(file, line: line, text, among: source.classNames!)
                    }
                    return text
                }
                guard !Absent.isWord(text) else {
                    throw .absentLabel(
                        file, line: line, column: names[column], text, rows: 1, isClass: true)
                }
                return text
            }
            let path = try LabelTable.cleaned(cell(columns.path))
            if let before = lineOf.updateValue(line, forKey: path) {
                throw .pictureTwice(file, line: line, path, before: before)
            }
            var entry = PictureFolder.Entry(path: path, label: try word(columns.label))
            if let column = columns.clean { entry.clean = try word(column) }
            if let column = columns.group { entry.group = try cell(column) }
            if let column = columns.split { entry.part = try part(cell(column), line) }
            guard path.utf8.first != UInt8(ascii: "/"),
                !path.split(separator: "/").contains("..")
            else { throw .pathLeaves(file, line: line, path) }
            if walk.follows(path) { entries.append(entry) }
        }
    }

    private func part(_ word: String, _ line: Int) throws(Problem) -> PictureFolder.Part {
        switch word.lowercased() {
        case "train": return .train
        case "val", "valid", "validation": return .validation
        case "test": return .test
        default: throw .unknownPart(file, line: line, word)
        }
    }

    /// `./a//b.png` is `a/b.png`.
    private static func cleaned(_ path: String) -> String {
        let isAbsolute = path.utf8.first == UInt8(ascii: "/")
        let steps = path.split(separator: "/").filter { $0 != "." }
        return (isAbsolute ? "/" : "") + steps.joined(separator: "/")
    }

    /// Where the columns stand.
    private struct Columns {
        var path: Int
        var label: Int
        var clean, group, split: Int?

        init(_ names: [String], _ source: FolderSource, file: String) throws(Problem) {
            func place(_ column: TableOptions.Column) throws(Problem) -> Int {
                switch column {
                case .name(let name):
                    guard let place = names.firstIndex(of: name) else {
                        throw .noLabelColumn(file, name, among: names)
                    }
                    return place
                case .index(let index):
                    let place = index < 0 ? names.count + index : index
                    guard names.indices.contains(place) else {
                        throw .noLabelColumn(file, "\(index)", among: names)
                    }
                    return place
                }
            }
            path = try place("path")
            label = try place(source.label)
            clean = try source.clean.map { (column) throws(Problem) in try place(column) }
            group = try source.group.map { (column) throws(Problem) in try place(column) }
            group = group ?? names.firstIndex(of: "group")
            split = names.firstIndex(of: "split")
        }
    }
}
