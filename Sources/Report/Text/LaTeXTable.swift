/// A table for a LaTeX document, with the rules of `booktabs`.
public struct LaTeXTable: Sendable {
    private let model: TableModel

    public init(_ model: TableModel) { self.model = model }

    /// `table` with caption, ready for `\input`.
    public func render() -> String {
        let columns = model.columns.map { $0.alignment == .trailing ? "r" : "l" }.joined()
        func line(_ cells: [String]) -> String {
            let padded = model.columns.indices.map { $0 < cells.count ? cells[$0] : "" }
            return "    " + padded.map(Self.escaped).joined(separator: " & ") + " \\\\\n"
        }
        return "\\begin{table}\n  \\centering\n  \\caption{\(Self.escaped(model.title))}\n"
            + "  \\begin{tabular}{\(columns)}\n    \\toprule\n" + line(model.columns.map(\.title))
            + "    \\midrule\n" + model.rows.map(line).joined()
            + "    \\bottomrule\n  \\end{tabular}\n"
            + (model.note.map { "  % \(PlainLines.joined($0))\n" } ?? "") + "\\end{table}\n"
    }

    /// What a name of a method may hold must not become a command.
    static func escaped(_ text: String) -> String {
        var out = ""
        for character in text {
            switch character {
            case "\\": out += "\\textbackslash{}"
            case "&", "%", "$", "#", "_", "{", "}": out += "\\\(character)"
            case "~": out += "\\textasciitilde{}"
            case "^": out += "\\textasciicircum{}"
            case "±": out += "$\\pm$"
            case "Δ": out += "$\\Delta$"
            case "β": out += "$\\beta$"
            case "α": out += "$\\alpha$"
            case "−": out += "$-$"
            case "–": out += "--"
            case "…": out += "\\dots{}"
            // At the beginning of a cell or before a digit it is a sign, not a hyphen.
            case "-" where out.isEmpty || out.last == " " || out.last == "[": out += "$-$"
            case "[" where out.isEmpty: out += "{[}"
            default: out += character.isNewline ? " " : String(character)
            }
        }
        return out
    }
}

private enum PlainLines {
    /// A comment ends with its line.
    static func joined(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }
}
