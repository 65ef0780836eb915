import Foundation
import Replica
import Report

/// The curves of `limbeck theory curve` as a page.
struct TheoryCurveReport {
    var over: String
    var optimised: Bool
    var log: Bool
    /// A prefix for the names, and the points.
    var lines: [(prefix: String, points: [(x: Double, value: TheoryJSON)])]
    /// Gains over 0-SD are drawn instead of errors, with measured ones of such labels beside them.
    var gains = false
    var measured: MeasuredGains?
    var labels = HyperParameterSearch.Labels.hard

    func page(facts: [Fact], dimensions: Int?) -> TheoryPage {
        let what = gains ? "Gain of k-SD over 0-SD" : optimised ? "error of k-SD" : "Error of k-SD"
        let title = gains || !optimised ? what : "Best " + what
        let note =
            dimensions.map {
                "Lines: theory. Dots: mean over simulated training sets of N = \($0), bars of one "
                    + "standard error."
            }
            ?? measured.map { _ in
                "Lines: theory. Dots: measured, mean over trials, bars of one standard error."
            }
        let chart = CurveChart(
            title: over == "stage" ? "\(title) over stages" : "\(title) against \(over)",
            xLabel: over, yLabel: gains ? "gain" : "generalisation error",
            curves: gains ? gainCurves : over == "stage" ? overStages : overValues,
            xScale: log ? .log : .linear,
            note: note)
        return TheoryPage(
            title: chart.title, facts: facts, warnings: warnings, findings: findings,
            tables: [table], charts: [chart])
    }

    private var stageCount: Int { lines.first?.points.first?.value.stages.count ?? 0 }

    private var overStages: [Curve] {
        var curves: [Curve] = []
        for (i, line) in lines.enumerated() {
            guard let value = line.points.first?.value else { continue }
            let x = value.stages.map { Double($0.stage) }
            curves.append(
                Curve(
                    name: line.prefix + "k-SD", x: x,
                    mean: value.stages.indices.map { error(value, $0) }, series: i))
            if let trials = value.simulation {
                curves.append(
                    Curve(
                        name: "", x: x, mean: trials.map(\.error.mean),
                        sd: trials.map { $0.error.standardError ?? .nan }, marks: true, series: i))
            }
        }
        guard let value = lines.first?.points.first?.value else { return curves }
        let x = value.stages.map { Double($0.stage) }
        return curves + [
            Curve(name: "Bayes", x: x, mean: x.map { _ in value.bayesError }, series: 6)
        ]
    }

    private var gainCurves: [Curve] {
        lines.enumerated().flatMap { i, line -> [Curve] in
            (1..<max(1, stageCount)).flatMap { k -> [Curve] in
                let series = i * stageCount + k - 1
                let name = "\(line.prefix)\(k)-SD"
                let theory = Curve(
                    name: measured == nil ? name : "\(name), theory", x: line.points.map(\.x),
                    mean: line.points.map { error($0.value, 0) - error($0.value, k) },
                    series: series)
                let dots = measured?.curve(
                    "\(k)-SD \(labels.rawValue)", name: "\(name), measured", series: series)
                return [theory] + (dots.map { [$0] } ?? [])
            }
        }
    }

    private var overValues: [Curve] {
        var curves: [Curve] = []
        for (i, line) in lines.enumerated() {
            for k in 0..<stageCount {
                let series = i * stageCount + k
                let x = line.points.map(\.x)
                curves.append(
                    Curve(
                        name: "\(line.prefix)\(k)-SD", x: x,
                        mean: line.points.map { error($0.value, k) }, series: series))
                let trials = line.points.filter { $0.value.simulation != nil }
                if !trials.isEmpty {
                    let numbers = trials.map { $0.value.simulation![k].error }
                    curves.append(
                        Curve(
                            name: "", x: trials.map(\.x), mean: numbers.map(\.mean),
                            sd: numbers.map { $0.standardError ?? .nan }, marks: true,
                            series: series))
                }
            }
        }
        guard let points = lines.first?.points else { return curves }
        return curves + [
            Curve(
                name: "Bayes", x: points.map(\.x), mean: points.map(\.value.bayesError), series: 6),
            Curve(
                name: "no noise", x: points.map(\.x), mean: points.map(\.value.noiselessError),
                series: 7),
        ]
    }

    /// Not a number where the equations were not solved.
    private func error(_ value: TheoryJSON, _ k: Int) -> Double {
        k < value.stages.count ? value.stages[k].error ?? .nan : .nan
    }

    private var warnings: [String] {
        let count = lines.flatMap(\.points).count { point in
            point.value.stages.contains { ($0.error ?? 1) < point.value.bayesError - 1e-6 }
        }
        return count == 0
            ? [] : ["errors below the Bayes-optimal one, which cannot be right: \(count) points"]
    }

    /// What the program says besides as it ends.
    private var findings: [String] {
        let count = lines.flatMap(\.points).count { $0.value.unsolved != nil }
        return count == 0
            ? [] : ["The equations were not solved at \(count) of the points: gaps in the curves."]
    }

    private var table: TableModel {
        let titles = lines.flatMap { line in (0..<stageCount).map { "\(line.prefix)\($0)-SD" } }
        let first = lines.first?.points ?? []
        return TableModel(
            columns: [.init(over, .trailing)] + (titles + ["Bayes"]).map { .init($0, .trailing) },
            rows: first.indices.map { i in
                [over == "stage" ? "–" : Numbers.compact(first[i].x, 4)]
                    + lines.flatMap { line in
                        (0..<stageCount).map { k in
                            let value = line.points[i].value
                            let trial = value.simulation.map { trials in
                                " (\(Numbers.fixed(trials[k].error.mean, 4)) ± "
                                    + "\(Numbers.fixed(trials[k].error.standardError ?? .nan, 4)))"
                            }
                            return TheoryTables.error(error(value, k)) + (trial ?? "")
                        }
                    } + [TheoryTables.error(first[i].value.bayesError)]
            },
            note: lines.contains { $0.points.contains { $0.value.simulation != nil } }
                ? "In brackets: simulation, mean ± standard error." : nil)
    }
}
