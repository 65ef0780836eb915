import Diagnostics
import Foundation

/// A `TableModel` as text: for the terminal, and as Markdown for documents.
public struct TextTable: Sendable {
    public enum Border: Sendable {
        /// Box drawing characters.
        case box
        /// `+`, `-` and `|` only, and `+-` for `±`.
        case ascii
        /// Two spaces between columns and a rule under the head.
        case plain
    }

    public var model: TableModel

    public init(_ model: TableModel) {
        self.model = model
    }

    /// The table, lines ended by newlines, titles left to the caller. Cells wider than `limit`
    /// columns are cut; control characters are escaped.
    public func render(_ border: Border = .box, limit: Int = 60) -> String {
        guard !model.columns.isEmpty else { return "" }
        let cells = model.cells { text in
            let line = Problem.oneLine(border == .ascii ? ascii(text) : text, limit: 400)
            return DisplayWidth.cut(line, to: max(limit, 1))
        }
        let aligned = model.columns.indices.map { column in
            alignSigns(
                cells.dropFirst().map { $0[column] }, sign: border == .ascii ? "+-" : "±",
                padding: " ")
        }
        let widths = model.columns.indices.map { column in
            ([cells[0][column]] + aligned[column]).map(DisplayWidth.of).max() ?? 0
        }
        func line(_ texts: [String], _ left: String, _ between: String, _ right: String) -> String {
            let padded = model.columns.indices.map { i in
                let fill = String(repeating: " ", count: widths[i] - DisplayWidth.of(texts[i]))
                return model.columns[i].alignment == .leading ? texts[i] + fill : fill + texts[i]
            }
            let joined = left + padded.joined(separator: between) + right
            return joined.trimmedEnd + "\n"
        }
        func rule(_ fill: String, _ left: String, _ between: String, _ right: String) -> String {
            let pad = border == .plain ? 0 : 2
            return left
                + widths.map { String(repeating: fill, count: $0 + pad) }
                .joined(separator: between) + right + "\n"
        }
        let head = cells[0]
        let body = cells.indices.dropFirst().map { row in aligned.map { $0[row - 1] } }
        switch border {
        case .box:
            return rule("─", "┌", "┬", "┐") + line(head, "│ ", " │ ", " │")
                + rule("─", "├", "┼", "┤")
                + body.map { line($0, "│ ", " │ ", " │") }.joined() + rule("─", "└", "┴", "┘")
        case .ascii:
            let edge = rule("-", "+", "+", "+")
            return edge + line(head, "| ", " | ", " |") + edge
                + body.map { line($0, "| ", " | ", " |") }.joined() + edge
        case .plain:
            return line(head, "", "  ", "") + rule("─", "", "  ", "")
                + body.map { line($0, "", "  ", "") }.joined()
        }
    }

    /// A Markdown table (GitHub's dialect). Text is escaped: nothing in a cell is markup.
    public func markdown() -> String {
        guard !model.columns.isEmpty else { return "" }
        let cells = model.cells(escapeMarkdown)
        let rule = model.columns.map { $0.alignment == .leading ? ":---" : "---:" }
        return ([cells[0], rule] + cells.dropFirst())
            .map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    }

    private func ascii(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "±": out += "+-"
            case "\u{2212}", "\u{2013}", "\u{2014}": out += "-"
            default:
                if scalar.isASCII { out.unicodeScalars.append(scalar) } else { out += "?" }
            }
        }
        return out
    }

    private func escapeMarkdown(_ text: String) -> String {
        var out = ""
        for scalar in Problem.oneLine(text, limit: 1000).unicodeScalars {
            switch scalar {
            case "<": out += "&lt;"
            case "&": out += "&amp;"
            case "|", "\\", "`", "*", "_", "[", "]", "~": out += "\\\(scalar)"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}

extension TableModel {
    /// Head and rows, each with one cell per column, every cell passed through `change`.
    func cells(_ change: (String) -> String) -> [[String]] {
        ([columns.map(\.title)] + rows).map { row in
            columns.indices.map { change($0 < row.count ? row[$0] : "") }
        }
    }
}

/// Pads one column so that the plus-minus signs of its cells stand under one another: to the
/// right of the deviation, so that trailing alignment keeps them there.
func alignSigns(_ cells: [String], sign: String, padding: String) -> [String] {
    let parts = cells.map { $0.components(around: " \(sign) ") }
    let left = parts.compactMap { $0.map { DisplayWidth.of($0.0) } }.max() ?? 0
    let right = parts.compactMap { $0.map { DisplayWidth.of($0.1) } }.max() ?? 0
    func fill(_ count: Int) -> String { String(repeating: padding, count: max(count, 0)) }
    let tail = right == 0 ? 0 : right + 2 + DisplayWidth.of(sign)
    return zip(cells, parts).map { cell, part in
        if let (a, b) = part {
            return fill(left - DisplayWidth.of(a)) + a + " \(sign) "
                + fill(right - DisplayWidth.of(b)) + b
        }
        // A number without a deviation stands under the means.
        guard tail > 0, Double(cell) != nil else { return cell }
        return fill(left - DisplayWidth.of(cell)) + cell + fill(tail)
    }
}

extension String {
    fileprivate func components(around separator: String) -> (String, String)? {
        guard let range = self.range(of: separator) else { return nil }
        return (String(self[..<range.lowerBound]), String(self[range.upperBound...]))
    }

    fileprivate var trimmedEnd: String {
        var text = self[...]
        while text.hasSuffix(" ") { text = text.dropLast() }
        return String(text)
    }
}
