import Datasets
import Diagnostics
import Files

/// What a person says of the samples of a sheet.
///
/// The file is the sheet with its column `verdict` filled in; other columns may be there or not, in any order. A
/// verdict is one of the words of ``words``, in any case; samples without one were not judged. Separated by
/// commas, semicolons or tabs, whatever the header has, for spreadsheets write all three.
public struct Verdicts: Equatable, Sendable {
    public enum Verdict: String, Sendable {
        case right, wrong, unsure
    }

    /// By sample.
    public private(set) var verdicts: [Int: Verdict] = [:]
    /// Right labels that the person wrote down, in words, by sample.
    public private(set) var labels: [Int: String] = [:]

    public static let words: [String: Verdict] = [
        "right": .right, "correct": .right, "ok": .right, "good": .right, "r": .right,
        "wrong": .wrong, "incorrect": .wrong, "bad": .wrong, "error": .wrong, "w": .wrong,
        "unsure": .unsure, "unclear": .unsure, "unknown": .unsure, "both": .unsure, "u": .unsure,
        "?": .unsure,
    ]

    public init(_ verdicts: [Int: Verdict]) { self.verdicts = verdicts }

    public func samples(_ verdict: Verdict) -> [Int] {
        verdicts.filter { $0.value == verdict }.keys.sorted()
    }

    /// - Parameters:
    ///   - count: samples of the data.
    ///   - given: labels in words, by sample. A column `given` that says otherwise belongs to other labels.
    /// - Throws: where a column is missing, a sample is not there, stands twice or has another label than the
    ///   file says, or a verdict is no word of the list.
    public init(file path: String, count: Int, given: [String]? = nil) throws(Problem) {
        let bytes = try readFile(path, limit: 1 << 28)
        guard String(validating: bytes, as: UTF8.self) != nil else { throw .verdictsNotUTF8(path) }
        var rows = Table.Scanner(
            bytes, file: path, options: TableOptions(), delimiter: Verdicts.delimiter(bytes))
        guard try rows.next() else { throw .verdictsEmpty(path) }
        let names = rows.cells.indices.map { rows.text($0).lowercased() }
        func column(_ name: String) throws(Problem) -> Int {
            guard let place = names.firstIndex(of: name) else {
                throw .verdictsColumn(path, name, among: names)
            }
            return place
        }
        let (sample, verdict) = (try column("sample"), try column("verdict"))
        let (own, label) = (names.firstIndex(of: "given"), names.firstIndex(of: "label"))
        var lineOf: [Int: Int] = [:]
        while try rows.next() {
            let line = rows.recordLine
            guard rows.cells.count == names.count else {
                throw .verdictsCells(path, line, rows.cells.count, names.count)
            }
            let word = rows.text(sample)
            guard let i = Int(word), 0..<count ~= i else {
                throw .verdictsSample(path, line, word, count)
            }
            if let before = lineOf.updateValue(line, forKey: i) {
                throw .verdictsTwice(path, line, i, before)
            }
            if let own, let given, rows.text(own) != given[i] {
                throw .verdictsGiven(path, line, rows.text(own), given[i])
            }
            let said = rows.text(verdict).lowercased()
            guard !said.isEmpty else { continue }
            guard let meaning = Verdicts.words[said] else {
                throw .verdictsWord(path, line, rows.text(verdict))
            }
            verdicts[i] = meaning
            if let label, !rows.text(label).isEmpty { labels[i] = rows.text(label) }
        }
        guard !verdicts.isEmpty else { throw .verdictsNone(path) }
    }

    /// Of the first line, whichever is there most often outside quotes.
    private static func delimiter(_ bytes: [UInt8]) -> TableOptions.Delimiter {
        var counts: [UInt8: Int] = [:]
        var isQuoted = false
        for byte in bytes {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if !isQuoted {
                if byte == 10 || byte == 13 { break }
                counts[byte, default: 0] += 1
            }
        }
        let (commas, semicolons, tabs) = (counts[0x2c] ?? 0, counts[0x3b] ?? 0, counts[9] ?? 0)
        if semicolons > max(commas, tabs) { return .semicolon }
        return tabs > commas ? .tab : .comma
    }
}
