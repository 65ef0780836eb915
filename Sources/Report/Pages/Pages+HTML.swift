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
        let results = methods.isEmpty ? [] : [PageView.Table(methodTable)]
        let dots = methods.isEmpty ? [] : [PageView.Drawn(dotPlot, note: dotPlot.note)]
        return try Templates.render(
            PageView(
                kind: "Comparison", title: title, subtitle: subtitle, warnings: warnings,
                findings: findings,
                sections: [
                    .init(
                        heading: "Advice", layout: "stack", tables: lead.map(PageView.Table.init)),
                    .init(heading: "Methods", layout: "stack", tables: results, figures: dots),
                    .init(
                        heading: "Further results", layout: "stack",
                        tables: tables.map(PageView.Table.init)),
                    .init(heading: "Curves", layout: "grid", figures: drawn(charts)),
                    .init(heading: "Matrices", layout: "grid", figures: drawn(heatMaps)),
                ], facts: facts, recipe: recipe))
    }

    /// Writes the page to `path`, so that a reader sees the old page or the new one.
    public func write(
        to path: String, using files: some FileSystem = LocalFileSystem()
    ) throws(Problem) {
        try files.replace(path, with: Array(html().utf8))
    }

    /// Methods, seeds, last and selected metric in percent, seconds: the table of the terminal
    /// and of the page.
    public var methodTable: TableModel {
        TableModel(
            title: "\(heading) in percent, mean ± standard deviation over seeds",
            columns: [
                .init("method"), .init("seeds", .trailing), .init("last", .trailing),
                .init("selected on validation", .trailing), .init("seconds", .trailing),
            ],
            rows: methods.map { method in
                let seconds = Estimate(values: method.seconds)
                return [
                    method.name, "\(max(method.last.count, method.selected.count))",
                    Self.percent(method.last), Self.percent(method.selected),
                    method.seconds.isEmpty
                        ? "–" : Numbers.estimate(seconds, digits: seconds.mean < 100 ? 1 : 0),
                ]
            },
            note: "Last: after the last epoch. Selected: the epoch that was best on the validation "
                + "split; the test labels choose nothing.")
    }

    /// The methods as rows of dots, in percent.
    public var dotPlot: DotPlot {
        DotPlot(
            title: "\(heading) of each method",
            xLabel: "\(metric) (%)",
            rows: methods.map { method in
                let last = Self.estimate(method.last)
                let second = Self.estimate(method.selected)
                return DotPlot.Row(
                    name: method.name, mean: last.mean, sd: last.sd,
                    points: method.last.map { $0 * 100 },
                    second: method.selected.isEmpty ? nil : second)
            }, baseline: baseline)
    }

    private var heading: String { metric.prefix(1).uppercased() + metric.dropFirst() }

    private static func estimate(_ values: [Double]) -> Estimate {
        Estimate(values: values.map { $0 * 100 })
    }

    private static func percent(_ values: [Double]) -> String {
        values.isEmpty ? "–" : Numbers.estimate(estimate(values))
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
