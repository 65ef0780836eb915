import Report
import Training

/// A run's record as a page.
///
///     try RunReport.page(RunRecord(folder: "runs/first")).write(to: "report.html")
public enum RunReport {
    /// Scores, curves, matrices and recipe of a finished run, and what is to be said of them.
    public static func page(_ record: RunRecord) -> RunPage {
        let facts = record.facts
        let sections = record.sections.flatMap(\.self)
        return RunPage(
            title: facts.name,
            subtitle: "\(facts.dataName), seed \(facts.seed)",
            facts: CommonFacts.list(facts),
            warnings: facts.warnings
                + (facts.noiseIsCompatibilityMode
                    ? [
                        "The label noise is a compatibility mode: it reproduces a published code's quirk."
                    ] : []) + sections.flatMap(\.warnings),
            findings: findings(record),
            tables: [table(record.scores, knowsClean: facts.realisedNoiseRate != nil)]
                + sections.flatMap(\.tables) + SectionValues(of: record).tables,
            charts: charts(record) + sections.flatMap(\.charts),
            heatMaps: matrices(record) + sections.flatMap(\.heatMaps),
            imageGrids: sections.flatMap(\.imageGrids),
            recipe: record.recipe)
    }

    package static func terminalTable(_ result: RunResult) -> String {
        let table = table(result.scores, knowsClean: result.noise.knowsClean)
        return table.title + "\n" + TextTable(table).render()
    }

    private static func table(_ scores: RunResult.Scores, knowsClean: Bool) -> TableModel {
        var rows: [[String]] = []
        for phase in scores.phases where phase.metric.isShown {
            func row(_ name: String, _ evaluations: PhaseResult.Evaluations) {
                rows.append([
                    name, percent(evaluations.last.test.accuracy),
                    percent(evaluations.selected.test.accuracy),
                    "\(evaluations.selectedEpoch) of \(phase.epochs)",
                    percent(evaluations.selected.validation.accuracy),
                    Numbers.fixed(evaluations.selected.test.nll, 3),
                    Numbers.fixed(evaluations.selected.test.ece, 3),
                ])
            }
            if let peers = phase.peers {
                for peer in peers.each {
                    row("\(peer.name) (\(peer.model))", peer.own)
                    if let ema = peer.ema {
                        row("\(peer.name), exponential moving average", ema)
                    }
                }
                let (last, selected) = (peers.last.ensemble, peers.selected.ensemble)
                rows.append([
                    "ensemble of the peers", percent(last.test.accuracy),
                    percent(selected.test.accuracy), "–", percent(selected.validation.accuracy),
                    Numbers.fixed(selected.test.nll, 3), Numbers.fixed(selected.test.ece, 3),
                ])
                continue
            }
            // What it scored itself; of one that was not trained there is nothing to show.
            guard let own = phase.isDeclined ? phase.verdict?.declined : phase.student else {
                continue
            }
            let name = phase.name + (phase.isDeclined ? " (declined)" : "")
            row(name, own)
            if let ema = phase.isDeclined ? phase.verdict?.declinedEMA : phase.ema {
                row("\(name), exponential moving average", ema)
            }
        }
        let metric = scores.metric
        let name = metric.name.prefix(1).uppercased() + metric.name.dropFirst()
        return TableModel(
            title: knowsClean || !metric.isOfTestLabels
                ? "\(name) in percent on \(metric.testSet)"
                : "Agreement with the given test labels in percent; their noise is unknown",
            columns: [
                .init("phase"), .init("last", .trailing), .init("selected", .trailing),
                .init("epoch", .trailing), .init("validation", .trailing), .init("NLL", .trailing),
                .init("ECE", .trailing),
            ], rows: rows,
            note:
                "Selected: the epoch that was best on the validation split. Validation, NLL and ECE are those "
                + "of the selected weights; validation labels are as noisy as the training labels unless the "
                + "recipe keeps them clean."
                + (scores.phases.last?.metric.note.map { " \($0)" } ?? ""))
    }

    private static func findings(_ record: RunRecord) -> [String] {
        var lines: [String] = []
        for (phase, sections) in zip(record.scores.phases, record.sections) {
            lines += sections.flatMap(\.findings)
            if let verdict = phase.verdict {
                lines.append("\(phase.name) was \(verdict.sentence).")
            }
            if let peers = phase.peers {
                let share = percent(peers.last.agreement)
                lines.append(
                    "\(peers.each[peers.best].name) is the best of \(peers.each.count) peers on the "
                        + "validation split; after the last epoch they agree on \(share) of it.")
            }
        }
        lines.append("One seed: differences between methods need several, see limbeck compare.")
        return lines
    }

    private static func charts(_ record: RunRecord) -> [CurveChart] {
        var accuracy: [Curve] = []
        var loss: [Curve] = []
        let phases = zip(record.scores.phases, record.metrics)
            .filter { $0.metric.isShown && !$1.isEmpty }
        for (phase, epochs) in phases {
            let x = epochs.map { Double($0.epoch) }
            let prefix = phases.count > 1 ? "\(phase.name), " : ""
            func add(_ name: String, _ value: (EpochMetrics) -> Double?) {
                let values = epochs.map { (value($0) ?? .nan) * 100 }
                if values.contains(where: \.isFinite) {
                    accuracy.append(Curve(name: prefix + name, x: x, mean: values))
                }
            }
            add("test") { $0.test.accuracy }
            if phases.count == 1 {
                add("validation") { $0.validation.accuracy }
                add("training, given labels") { $0.trainAccuracy }
                add("training, clean labels") { $0.trainCleanAccuracy }
                add("test, EMA") { $0.emaTest?.accuracy }
            }
            loss.append(Curve(name: prefix + "training loss", x: x, mean: epochs.map(\.loss)))
        }
        return [
            CurveChart(
                title: "Accuracy", xLabel: "epoch", yLabel: "accuracy (%)", curves: accuracy),
            CurveChart(
                title: "Training loss", xLabel: "epoch", yLabel: "loss (nats)", curves: loss),
            timeChart(record),
        ].compactMap(\.self) + record.metrics.flatMap(peerCharts)
    }

    /// Accuracy against the seconds of a phase, for phases whose times are known.
    private static func timeChart(_ record: RunRecord) -> CurveChart? {
        let curves = zip(record.scores.phases, zip(record.metrics, record.timings)).compactMap {
            phase, measured -> Curve? in
            let (epochs, timing) = measured
            guard let seconds = timing?.epochs, seconds.count == epochs.count, !epochs.isEmpty
            else { return nil }
            return Curve(
                name: "\(phase.name), test", x: seconds,
                mean: epochs.map { 100 * $0.test.accuracy })
        }
        return curves.isEmpty
            ? nil
            : CurveChart(
                title: "Accuracy against time", xLabel: "seconds since the phase began",
                yLabel: "accuracy (%)", curves: curves)
    }

    /// How alike the peers are, and whether what moves them settles.
    private static func peerCharts(_ epochs: [EpochMetrics]) -> [CurveChart] {
        guard let count = epochs.first?.learners?.count else { return [] }
        let x = epochs.map { Double($0.epoch) }
        func curves(_ value: (EpochMetrics.Learner) -> Double?) -> [Curve] {
            (0..<count).compactMap { k in
                let values = epochs.map { $0.learners.flatMap { value($0[k]) } ?? .nan }
                return values.contains(where: \.isFinite)
                    ? Curve(name: "peer-\(k + 1)", x: x, mean: values) : nil
            }
        }
        let agreement = Curve(
            name: "equal predictions", x: x, mean: epochs.map { 100 * ($0.agreement ?? .nan) })
        let accuracy = curves { 100 * $0.test.accuracy }
        let ensemble = Curve(
            name: "ensemble", x: x, mean: epochs.map { 100 * ($0.ensembleTest?.accuracy ?? .nan) })
        return [
            CurveChart(
                title: "Peers", xLabel: "epoch", yLabel: "test accuracy (%)",
                curves: accuracy + [ensemble]),
            CurveChart(
                title: "Agreement between peers", xLabel: "epoch", yLabel: "validation samples (%)",
                curves: [agreement]),
            CurveChart(
                title: "Gradient of the label term", xLabel: "epoch",
                yLabel: "length of the gradient", curves: curves(\.gradientNorm),
                note: "Over all parameters, at the first step of each epoch."),
        ].filter { !$0.curves.isEmpty }
    }

    private static func matrices(_ record: RunRecord) -> [HeatMap] {
        let names = record.facts.classNames
        guard names.count <= 100, let last = record.scores.phases.last else { return [] }
        let test = last.evaluations(ema: record.scores.useEMA).selected.test
        let metric = record.scores.metric
        let confusion = HeatMap(
            title: "Confusion on \(metric.testSet) (selected weights)",
            rowLabels: names, columnLabels: names,
            values: test.confusion.map { $0.map(Double.init) }, format: .count,
            rowAxis: metric.reference, columnAxis: "prediction")
        // Where nothing is real there are no given labels.
        guard metric.isOfTestLabels, let transition = record.facts.realisedTransition else {
            return [confusion]
        }
        return [
            confusion,
            HeatMap(
                title: "Realised label noise", rowLabels: names, columnLabels: names,
                values: transition, format: .percent(0),
                rowAxis: "clean label",
                columnAxis: "given label", maximum: 1),
        ]
    }
}

extension RunResult.Scores {
    /// What the scores of the phases are, as a table of them says it.
    var metric: PhaseMetric {
        (phases.first { !$0.metric.isOfTestLabels } ?? phases.last)?.metric ?? .accuracy
    }
}

/// Facts that every report shows.
enum CommonFacts {
    static func list(_ facts: RunFacts) -> [Fact] {
        let sizes = ["train", "validation", "test"].compactMap { name in
            facts.samples[name].map { "\($0) \(name)" }
        }
        let noise =
            facts.noiseKind
            + (facts.intendedNoiseRate.map { ", intended \(percent($0))" } ?? "")
            + ", realised \(share(facts.realisedNoiseRate))"
        return [
            Fact("data", facts.dataName), Fact("samples", sizes.joined(separator: ", ")),
            Fact("classes", "\(facts.classNames.count)"), Fact("label noise", noise),
            Fact("data SHA-256", String(facts.dataHash.prefix(16)) + "…"),
            Fact("labels SHA-256", String(facts.labelsHash.prefix(16)) + "…"),
            Fact("engine", "LibTorch \(facts.compute.engine), \(facts.compute.capability)"),
            Fact(
                "device",
                "\(facts.compute.device), \(facts.compute.threads) threads, \(facts.compute.precision.rawValue)"
            ),
            Fact("limbeck", facts.limbeck),
        ]
    }
}
