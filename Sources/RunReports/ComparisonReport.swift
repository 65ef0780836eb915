import Diagnostics
import Files
import Foundation
import Report
import Training

/// A comparison's record as a table, findings and a page.
///
///     let report = ComparisonReport(try ComparisonRecord(folder: folder))
///     try report.page(folder: folder).write(to: "report.html")
public struct ComparisonReport {
    let record: ComparisonRecord

    public init(_ record: ComparisonRecord) { self.record = record }

    /// Rows of the table: every row at every noise.
    private var groups: [(name: String, cells: [Comparison.Cell])] {
        record.noises.indices.flatMap { n in
            record.rows.map { row in
                let label = record.noises.count > 1 ? "\(row) | \(noiseName(n))" : row
                return (label + failureMark(row, n), record.cells(row: row, noise: n))
            }
        }
    }

    func noiseName(_ n: Int) -> String {
        let noise = record.noises[n]
        return noise.kind + (noise.rate.map { " \(Numbers.compact($0))" } ?? "")
    }

    /// The ranked rows at every noise.
    private var methods: [MethodGroup] {
        record.noises.indices.map { n in
            MethodGroup(
                title: record.noises.count > 1 ? noiseName(n) : "",
                methods: record.rows.map { row in
                    let cells = record.cells(row: row, noise: n)
                    let seconds = cells.compactMap(\.seconds)
                    return MethodResult(
                        name: row + failureMark(row, n),
                        last: cells.map(\.evaluations.last.test.accuracy),
                        selected: cells.map(\.evaluations.selected.test.accuracy),
                        seconds: seconds.count == cells.count ? seconds : [],
                        seeds: cells.map(\.seed), role: role(row, cells))
                })
        }
    }

    private func role(_ row: String, _ cells: [Comparison.Cell]) -> MethodResult.Role {
        if record.ceilings?.contains(row) ?? false { return .ceiling }
        let isPlain = cells.allSatisfy { $0.phases.count == 1 && $0.phases[0].isBaseline }
        return isPlain && !cells.isEmpty ? .plain : .method
    }

    /// What rows were measured by that were measured without test labels; nil where all had them.
    private var standIn: PhaseMetric? {
        record.cells.lazy.flatMap(\.results).map(\.metric).first { !$0.isOfTestLabels }
    }

    /// Whether nobody knows which labels are right, those of the test among them.
    private var isUnknown: Bool { record.noises.contains { $0.realised == nil } }

    private var metric: String {
        if let standIn { return standIn.name }
        return isUnknown ? "agreement with the given test labels" : "test accuracy"
    }

    /// What has to be known before the answers are believed, and what failed.
    var findings: [String] {
        var sentences: [String] = []
        if let standIn {
            sentences.append(
                "There are no test samples: what is called accuracy is \(standIn.name) on "
                    + "\(standIn.testSet).")
        } else if isUnknown {
            sentences.append(
                "No clean label is known: test labels may be as noisy as the training labels, and a "
                    + "difference counts agreement with them. None of it is a finding about the truth."
            )
        }
        return sentences + failureSentences
    }

    /// What `compare` prints for people.
    package var terminal: String {
        let page = page(recipe: "")
        var parts = [
            record.noises.map {
                "label noise: \($0.kind)\($0.rate.map { ", rate \(Numbers.compact($0))" } ?? ""), realised "
                    + share($0.realised)
            }.joined(separator: "\n")
        ]
        parts += page.answerLines
        for group in page.groups {
            let table = page.table(of: group)
            parts.append(table.title + "\n" + TextTable(table).render())
        }
        parts += findings.map { "- " + $0 }
        return parts.joined(separator: "\n")
    }

    /// Writes the page, and its table as `table.csv` and `table.tex`, into the folder of the comparison.
    ///
    /// - Returns: where the page is.
    package func write(
        to folder: String, page path: String? = nil, using files: some FileSystem
    ) throws(Problem) -> String {
        let page = try page(folder: folder)
        let path = path ?? "\(folder)/report.html"
        try page.write(to: path, using: files)
        try files.replace("\(folder)/table.csv", with: page.csv)
        try files.replace("\(folder)/table.tex", with: Array(page.latex.utf8))
        return path
    }

    /// - Parameter folder: that of the comparison, whose recipe the page shows.
    /// - Throws: where the recipe cannot be read.
    public func page(folder: String) throws(Problem) -> ComparisonPage {
        page(
            recipe: String(
                decoding: try readFile("\(folder)/recipe.yaml", limit: 4 << 20), as: UTF8.self))
    }

    private func page(recipe: String) -> ComparisonPage {
        let facts = CommonFacts.list(record.facts).map { fact in
            fact.name == "label noise"
                ? Fact(
                    "label noise",
                    record.noises.indices.map { n in
                        "\(noiseName(n)), realised \(share(record.noises[n].realised))"
                    }.joined(separator: "; ")) : fact
        }
        return ComparisonPage(
            title: "Comparison on \(record.facts.dataName)",
            subtitle: "\(record.rows.count) methods, seeds "
                + record.seeds.map(String.init).joined(separator: ", "),
            facts: facts, warnings: record.facts.warnings + warnings, findings: findings,
            metric: metric, groups: methods,
            tables: [stages, peers].compactMap(\.self) + SectionValues(groups).tables
                + [settings].compactMap(\.self),
            charts: charts,
            heatMaps: matrices, recipe: recipe)
    }

    /// Each phase of the rows that have several.
    private var stages: TableModel? {
        var rows: [[String]] = []
        for (name, cells) in groups {
            guard let first = cells.first, !isPartOfAnother(cells),
                first.results.count(where: \.metric.isShown) > 1
            else { continue }
            for i in first.results.indices where first.results[i].metric.isShown {
                func spread(_ value: (PhaseResult) -> Double?) -> String {
                    let values = cells.compactMap { value($0.results[i]) }
                    return values.isEmpty
                        ? "–" : Numbers.estimate(Estimate(values: values), scale: 100)
                }
                let declined = cells.count { $0.results[i].isDeclined }
                rows.append([
                    name,
                    first.phases[i].name
                        + (declined > 0 ? " (declined: \(declined) of \(cells.count))" : ""),
                    spread { $0.student.last.test.accuracy },
                    spread { $0.student.selected.test.accuracy },
                ])
            }
        }
        guard !rows.isEmpty else { return nil }
        return TableModel(
            title: "Phase by phase",
            columns: [
                .init("method"), .init("phase"),
                .init("last", .trailing), .init("selected", .trailing),
            ], rows: rows)
    }

    /// The rows whose last phase trained several networks.
    private var peers: TableModel? {
        var rows: [[String]] = []
        for (name, cells) in groups {
            let scores = cells.compactMap(PeerScores.init)
            guard scores.count == cells.count, !cells.isEmpty else { continue }
            func spread(_ value: (PeerScores) -> Double) -> String {
                Numbers.estimate(Estimate(values: scores.map(value)), scale: 100)
            }
            let five = cells.compactMap(\.lastFive)
            let lastFive =
                five.isEmpty ? "–" : Numbers.estimate(Estimate(values: five), scale: 100)
            rows.append([
                name, spread(\.meanLast), lastFive, spread(\.meanSelected), spread(\.ensembleLast),
                spread(\.ensembleSelected), spread(\.agreement),
            ])
        }
        guard !rows.isEmpty else { return nil }
        return TableModel(
            title: "Peers",
            columns: [
                .init("method"), .init("mean, last", .trailing),
                .init("last 5 epochs", .trailing), .init("selected", .trailing),
                .init("ensemble, last", .trailing), .init("selected", .trailing),
                .init("agreement", .trailing),
            ], rows: rows,
            note:
                "Test accuracy in percent: mean over the peers, at the last epoch, over the last five and "
                + "selected on validation, and of the average of their probabilities. "
                + "Agreement: share of validation samples with equal predictions, mean over pairs, at the "
                + "last epoch. Everywhere else, the best peer on the validation split stands for the row."
        )
    }

    /// Whether a longer chain begins with this one, phase for phase, so that it would only repeat it.
    private func isPartOfAnother(_ cells: [Comparison.Cell]) -> Bool {
        record.cells.contains { other in
            guard let own = cells.first(where: { $0.seed == other.seed && $0.noise == other.noise })
            else {
                return false
            }
            return other.phases.count > own.phases.count
                && zip(own.phases, other.phases).allSatisfy { $0.key == $1.key }
        }
    }

    /// Those of the phases' sections, each phase's once.
    private var warnings: [String] {
        var seen: Set<String> = []
        var found: [(row: String, seed: UInt64, text: String)] = []
        for cell in record.cells {
            for (phase, result) in zip(cell.phases, cell.results)
            where seen.insert(phase.key).inserted {
                found += result.warnings.map { (cell.row, cell.seed, $0) }
            }
        }
        // Seeds of a row that warn of the same, in other numbers, are one line.
        func words(_ warning: (row: String, seed: UInt64, text: String)) -> String {
            warning.row + ": " + warning.text.filter { !$0.isNumber }
        }
        let groups = Dictionary(grouping: found, by: words)
        var told: Set<String> = []
        return found.filter { told.insert(words($0)).inserted }.map { warning in
            let more = groups[words(warning)]!.count - 1
            return "\(warning.row), seed \(warning.seed)"
                + (more > 0 ? " (and \(more) more seed\(more == 1 ? "" : "s"))" : "")
                + ": \(warning.text)"
        }
    }

    /// What the searches chose.
    private var settings: TableModel? {
        var rows: [[String]] = []
        for (name, cells) in groups {
            for cell in cells where !cell.setting.isEmpty {
                rows.append([name, "\(cell.seed)", cell.setting])
            }
        }
        guard !rows.isEmpty else { return nil }
        return TableModel(
            title: "Chosen on the validation split",
            columns: [.init("method"), .init("seed", .trailing), .init("setting")], rows: rows)
    }

    private var charts: [CurveChart] {
        zip(record.noises.indices, methods).flatMap { n, group in
            let suffix = record.noises.count > 1 ? ", \(noiseName(n))" : ""
            let accuracy = CurveChart(
                title: metric.prefix(1).uppercased() + metric.dropFirst() + " over the last phase"
                    + suffix, xLabel: "epoch",
                yLabel: "\(isUnknown ? "agreement" : "accuracy") (%)",
                curves: curves(n, of: group.ranking.extremes) { cell, epoch in
                    100 * (cell.useEMA ? epoch.emaTest ?? epoch.test : epoch.test).accuracy
                },
                note:
                    "Mean over seeds (and over peers), bands of one standard deviation; the best, the worst and "
                    + "the first row. Shown, never used to choose.")
            let agreement = CurveChart(
                title: "Agreement between peers" + suffix, xLabel: "epoch",
                yLabel: "equal predictions (%)",
                curves: curves(n, of: group.methods.map(\.name)) { $1.agreement.map { 100 * $0 } },
                note: "Share of validation samples with equal predictions, mean over pairs.")
            return [accuracy] + (agreement.curves.isEmpty ? [] : [agreement])
        }
    }

    /// One curve for each row whose epochs all have the value.
    ///
    /// - Parameter names: which rows, as they stand in the table.
    private func curves(
        _ n: Int, of names: [String], _ value: (Comparison.Cell, EpochMetrics) -> Double?
    ) -> [Curve] {
        record.rows.filter { names.contains($0 + failureMark($0, n)) }.compactMap { row in
            let cells = record.cells(row: row, noise: n)
            let seeds = cells.map { cell in cell.resultMetrics.compactMap { value(cell, $0) } }
            guard let length = seeds.map(\.count).max(), length > 0 else { return nil }
            return Curve(name: row, x: (1...length).map(Double.init), seeds: seeds)
        }
    }

    private var matrices: [HeatMap] {
        let names = record.facts.classNames
        guard names.count <= 100 else { return [] }
        var maps = (record.facts.realisedTransition.map { [$0] } ?? []).map {
            HeatMap(
                title: "Realised label noise, first seed", rowLabels: names, columnLabels: names,
                values: $0, format: .percent(0), rowAxis: "clean label",
                columnAxis: "given label", maximum: 1)
        }
        let best = groups.filter { !$0.cells.isEmpty }.max { a, b in
            Estimate(values: a.cells.map(\.evaluations.selected.validation.accuracy)).mean
                < Estimate(values: b.cells.map(\.evaluations.selected.validation.accuracy)).mean
        }
        if let best, let first = best.cells.first {
            var sum = first.evaluations.selected.test.confusion.map { $0.map(Double.init) }
            for cell in best.cells.dropFirst() {
                for (i, row) in cell.evaluations.selected.test.confusion.enumerated() {
                    for (j, count) in row.enumerated() { sum[i][j] += Double(count) }
                }
            }
            maps.append(
                HeatMap(
                    title: "Confusion on the test split: \(best.name)", rowLabels: names,
                    columnLabels: names, values: sum, format: .count, rowAxis: "label",
                    columnAxis: "prediction",
                    note: "The method that is best on validation; counts of all seeds together."))
        }
        return maps
    }
}
