import Diagnostics
import Files

extension RunPage {
    /// The page: one file with its style and drawings inside; it loads nothing and runs nothing.
    public func html() throws(Problem) -> String {
        try Templates.render(
            PageView(
                kind: "Run", title: title, subtitle: subtitle, warnings: warnings,
                findings: findings,
                sections: [
                    .init(
                        heading: "Results", layout: "stack", tables: tables.map(PageView.Table.init)
                    ),
                    .init(heading: "Curves", layout: "grid", figures: drawn(charts)),
                    .init(
                        heading: "Images", layout: "stack",
                        figures: imageGrids.map { PageView.Drawn($0, note: $0.note) }),
                    .init(heading: "Matrices", layout: "grid", figures: drawn(heatMaps)),
                ], facts: facts, recipe: recipe))
    }

    /// Writes the page to `path`, so that a reader sees the old page or the new one.
    public func write(
        to path: String, using files: some FileSystem = LocalFileSystem()
    ) throws(Problem) {
        try files.replace(path, with: Array(html().utf8))
    }
}

extension ComparisonPage {
    /// The page: one file with its style and drawings inside; it loads nothing and runs nothing.
    public func html() throws(Problem) -> String {
        let known = groups.filter { !$0.methods.isEmpty }
        let results = known.map { group in
            let plot = plot(of: group)
            return PageView.Section(
                heading: group.title.isEmpty ? "Methods" : "Methods, \(group.title)",
                layout: "stack", tables: [PageView.Table(table(of: group))],
                figures: [PageView.Drawn(plot, note: plot.note)])
        }
        return try Templates.render(
            PageView(
                kind: "Comparison", title: title, subtitle: subtitle, warnings: warnings,
                findings: (answers ? answerLines : []) + findings,
                sections: [
                    .init(heading: "Advice", layout: "stack", tables: lead.map(PageView.Table.init))
                ] + results + [
                    .init(heading: "Curves", layout: "grid", figures: drawn(charts)),
                    .init(
                        heading: "Further results", layout: "stack", folded: true,
                        tables: tables.map(PageView.Table.init)),
                    .init(
                        heading: "Matrices", layout: "grid", folded: true,
                        figures: drawn(heatMaps)),
                ], facts: facts, recipe: recipe, folded: true))
    }

    /// Writes the page to `path`, so that a reader sees the old page or the new one.
    public func write(
        to path: String, using files: some FileSystem = LocalFileSystem()
    ) throws(Problem) {
        try files.replace(path, with: Array(html().utf8))
    }

    /// Which method is best, a line for each group.
    public var answerLines: [String] {
        groups.filter { !$0.methods.isEmpty }.map { group in
            (group.title.isEmpty ? "" : "\(group.title): ") + group.ranking.answer
        }
    }

    /// The ranked table of a group: that of the terminal and of the page.
    public func table(of group: MethodGroup) -> TableModel {
        var table = group.ranking.table(metric: metric)
        if !group.title.isEmpty { table.title += ", \(group.title)" }
        return table
    }

    /// The methods of a group as rows of dots, in percent.
    public func plot(of group: MethodGroup) -> DotPlot { group.ranking.dotPlot(metric: metric) }

    /// The ranked tables for a spreadsheet.
    public var csv: [UInt8] {
        CSV.file(Ranking.csvColumns, groups.flatMap { $0.ranking.csvRows(noise: $0.title) })
    }

    /// The ranked tables for a LaTeX document.
    public var latex: String {
        groups.map { LaTeXTable(table(of: $0)).render() }.joined(separator: "\n")
    }
}

extension TheoryPage {
    /// The page: one file with its style and drawings inside; it loads nothing and runs nothing.
    public func html() throws(Problem) -> String {
        try Templates.render(
            PageView(
                kind: "Theory", title: title, subtitle: subtitle, warnings: warnings,
                findings: findings,
                sections: [
                    .init(heading: "Curves", layout: "stack", figures: drawn(charts)),
                    .init(heading: "Maps", layout: "grid", figures: drawn(heatMaps)),
                    .init(
                        heading: "Numbers", layout: "stack", tables: tables.map(PageView.Table.init)
                    ),
                ], facts: facts, recipe: ""))
    }

    /// Writes the page to `path`, so that a reader sees the old page or the new one.
    public func write(
        to path: String, using files: some FileSystem = LocalFileSystem()
    ) throws(Problem) {
        try files.replace(path, with: Array(html().utf8))
    }
}

private func drawn(_ charts: [CurveChart]) -> [PageView.Drawn] {
    charts.map { PageView.Drawn($0, note: $0.note) }
}

private func drawn(_ maps: [HeatMap]) -> [PageView.Drawn] {
    maps.map { PageView.Drawn($0, note: $0.note) }
}
