import Audit
import Report

extension AuditPage {
    private static let mostClasses = 12
    private static let mostOverlaps = 12

    /// What is known of the list: precision, evidence, and what checking it gains.
    var quality: SectionedPage.Section? {
        guard !isUseless else { return nil }
        let tables = [measuredTable, evidence].compactMap(\.self)
        let charts = [precision, budget].map { $0.map { SectionedPage.Content.chart($0) } }
        return .init(
            "How good the list is",
            [charts[0]].compactMap(\.self) + tables.map { .table($0) }
                + [charts[1]].compactMap(\.self), isGrid: true)
    }

    /// At every length of the list, expected and true.
    private var precision: CurveChart? {
        let learning = result.learning
        guard learning.count > 1 else { return nil }
        let x = (1...learning.count).map(Double.init)
        func inPercent(_ values: [Double]) -> [Double] { values.map { 100 * $0 } }
        let precision = learning.model.precision
        var curves = [
            Curve(
                name: "expected", x: x, mean: inPercent(precision.expected),
                low: inPercent(precision.low), high: inPercent(precision.high), series: 0)
        ]
        if let truth = learning.truePrecision {
            curves.append(Curve(name: "true", x: x, mean: inPercent(truth), series: 1))
        }
        if let expected = learning.expected {
            curves.append(
                Curve(
                    name: "the list", x: [Double(expected.count)], mean: [100 * expected.precision],
                    marks: true, series: 0))
        }
        return CurveChart(
            title: "Wrong labels among the first n", xLabel: "length of the list, n",
            yLabel: "precision (%)", curves: curves, yRange: 0...100,
            note:
                "The band is the interval of the expected precision: two standard errors around what "
                + "both calibrations say at both ends of the noise rate's interval.")
    }

    /// What was expected beside what is true.
    private var measuredTable: TableModel? {
        let learning = result.learning
        guard let rate = learning.trueRate else { return nil }
        let model = learning.model
        var rows = [
            [
                "wrong labels", shareText(model.rate.estimate, model.rate.low, model.rate.high),
                Wording.measured(rate),
            ]
        ]
        if let measured = learning.measured {
            if let expected = learning.expected, let precision = measured.precision {
                rows += [
                    [
                        "precision of the list",
                        shareText(expected.precision, expected.low, expected.high),
                        Wording.measured(precision),
                    ],
                    [
                        "recall of the list", "\(Wording.percent(expected.recall)) %",
                        Wording.measured(measured.recall),
                    ],
                    ["F1 of the list", area(expected.f1), area(measured.f1)],
                    ["largest F1 of any length", "", area(measured.bestF1)],
                ]
            }
            rows += [
                // That of labels changed on purpose is another: wrong labels are among the unchanged ones.
                ["AUC", "", area(measured.area)],
                ["precision at recall 80 %", "", Wording.measured(measured.precisionAtRecall80)],
            ]
        }
        return TableModel(
            title: "Beside the true labels",
            columns: [.init(""), .init("expected", .trailing), .init("true", .trailing)],
            rows: rows)
    }

    private func area(_ value: Double) -> String { Wording.area(value) }

    /// T, estimated and true.
    var transition: SectionedPage.Section? {
        guard !isUseless else { return nil }
        let names = result.classNames
        func map(_ title: String, _ values: [[Double]]) -> SectionedPage.Content {
            .heatMap(
                HeatMap(
                    title: title, rowLabels: names, columnLabels: names, values: values,
                    format: .percent(names.count > 8 ? 0 : 1), rowAxis: "true class",
                    columnAxis: "given label", maximum: 1))
        }
        return .init(
            "Which label a class was given, in percent",
            [map("Estimated", result.noise.transition)]
                + (result.trueTransition.map { [map("True", $0)] } ?? []), isGrid: true)
    }

    // MARK: Classes

    var classes: SectionedPage.Section? {
        guard !isUseless else { return nil }
        let shown = result.classQuality.prefix(AuditPage.mostClasses)
        var contents: [SectionedPage.Content] = []
        if !shown.isEmpty { contents.append(.table(table(Array(shown), title: "Labels by class"))) }
        let pairs = result.overlaps.filter { $0.samples > 0 }
        if !pairs.isEmpty {
            contents.append(
                .table(
                    TableModel(
                        title: "Classes that are taken for one another",
                        columns: [
                            .init("classes"), .init("samples", .trailing),
                            .init("of all (%)", .trailing),
                        ],
                        rows: pairs.prefix(AuditPage.mostOverlaps).map { pair in
                            [
                                Wording.list(pair.classes.map { result.classNames[$0] }),
                                Wording.count(pair.samples), Wording.percent(pair.joint),
                            ]
                        })))
        }
        return .init("Classes", contents, isGrid: true)
    }

    var moreClasses: SectionedPage.Section? {
        let rest = result.classQuality.dropFirst(AuditPage.mostClasses)
        guard !isUseless, !rest.isEmpty else { return nil }
        return .init(
            "The other \(Wording.count(rest.count)) \(rest.count == 1 ? "class" : "classes")",
            [.table(table(Array(rest), title: ""))], isFolded: true)
    }

    private func table(_ classes: [ClassQuality], title: String) -> TableModel {
        TableModel(
            title: title,
            columns: [
                .init("class"), .init("right (%)", .trailing), .init("wrongly given", .trailing),
                .init("missed", .trailing),
            ],
            rows: classes.map { quality in
                [
                    result.classNames[quality.index], Wording.percent(quality.labelQuality),
                    Wording.count(quality.wronglyGiven), Wording.count(quality.missed),
                ]
            },
            note:
                "Right: of the labels of this class. Wrongly given: samples with this label that are of "
                + "another class. Missed: samples of this class with another label. By the calibrated "
                + "confident joint, which counts doubt of the networks as noise.")
    }

    // MARK: Evidence

    private var evidence: TableModel? {
        let learning = result.learning
        guard !learning.rows.evidenceNames.isEmpty else { return nil }
        let weights = Dictionary(learning.model.weights.map { ($0.column, $0.weight) }) { a, _ in a
        }
        let areas = learning.evidenceAreas
        var rows = learning.rows.evidenceNames.enumerated().map { j, name in
            [name, weights[name].map { Numbers.fixed($0, 2) } ?? "–"]
                + (areas.map { [$0[j].map(Wording.area) ?? "–"] } ?? [])
        }
        if areas != nil, let measured = learning.measured {
            rows.append(["all joined", "", area(measured.area)])
        }
        return TableModel(
            title: "Evidence",
            columns: [.init("column"), .init("weight", .trailing)]
                + (areas == nil ? [] : [.init("AUC by itself", .trailing)]), rows: rows,
            note:
                "Weights of standardised columns, learnt to tell labels that were changed on purpose"
                + (learning.model.injectedArea.map { " (AUC \(Wording.area($0)) there)" } ?? "")
                + ". A column that repeats others has little weight.")
    }

    // MARK: People

    var people: SectionedPage.Section? {
        .init(
            "What people say",
            [sheet, annotators].compactMap(\.self).map { .table($0) }, isGrid: true)
    }

    private var annotators: TableModel? {
        guard !result.annotators.isEmpty else { return nil }
        return TableModel(
            title: "Annotators",
            columns: [
                .init("annotator"), .init("labels", .trailing),
                .init("as the consensus (%)", .trailing), .init("right (%)", .trailing),
            ],
            rows: result.annotators.sorted { $0.quality > $1.quality }.map {
                [
                    $0.name, Wording.count($0.labels), Wording.percent($0.agreement),
                    Wording.percent($0.quality),
                ]
            },
            note: "Right: an estimate from the annotators and the networks together (CROWDLAB).")
    }

    /// What a person says beside what the audit says.
    private var sheet: TableModel? {
        guard let sheet = result.sheet else { return nil }
        func row(
            _ name: String, _ share: SampledShare, audit: String, agrees: Bool?
        ) -> [String] {
            [
                name, "\(Wording.count(share.found)) of \(Wording.count(share.drawn))",
                share.estimate.map { shareText($0, share.low, share.high) } ?? "–", audit,
                agrees.map { $0 ? "yes" : "no" } ?? "–",
            ]
        }
        let rate = result.learning.model.rate
        var rows = [
            row(
                "all labels", sheet.rate,
                audit: isUseless ? "–" : shareText(rate.estimate, rate.low, rate.high),
                agrees: isUseless ? nil : sheet.agreesOnRate)
        ]
        if let expected = result.learning.expected {
            rows.append(
                row(
                    "the list", sheet.precision,
                    audit: shareText(expected.precision, expected.low, expected.high),
                    agrees: sheet.agreesOnPrecision))
        }
        let unsure =
            sheet.unsure == 0
            ? ""
            : " Left out as unsure: \(Wording.count(sheet.unsure)); were they all right or all wrong, the "
                + "share of all labels would be "
                + Wording.interval(sheet.rateIfUnsure.lowerBound, sheet.rateIfUnsure.upperBound)
                + "."
        return TableModel(
            title: "A random sheet, judged by a person",
            columns: [
                .init("of"), .init("wrong", .trailing), .init("share", .trailing),
                .init("the audit", .trailing), .init("agrees"),
            ], rows: rows,
            note:
                "Judged without the audit's opinion: the share is unbiased, its 95 % interval exact."
                + unsure)
    }

    /// `41 % (36 to 46 %)`, which breaks before the bracket and nowhere else.
    private func shareText(_ share: Double, _ low: Double, _ high: Double) -> String {
        let (share, interval) = (Wording.percent(share) + " %", Wording.interval(low, high))
        return share.replacing(" ", with: "\u{a0}") + " ("
            + interval.replacing(" ", with: "\u{a0}") + ")"
    }

    /// Gains in three orders.
    private var budget: CurveChart? {
        guard let budget = result.budget else { return nil }
        func curve(_ name: String, _ gains: [Double], _ series: Int) -> Curve {
            Curve(
                name: name, x: gains.indices.map(Double.init), mean: gains.map { 100 * $0 },
                series: series)
        }
        return CurveChart(
            title: "What checking \(Wording.count(budget.count)) labels gains",
            xLabel: "labels checked", yLabel: "gain (points)",
            curves: [
                curve("by worth", budget.byWorth, 0),
                curve("by probability", budget.byProbability, 1),
                curve("at random", budget.atRandom, 2),
            ],
            note:
                "By how much the mean probability of the true class would grow if networks believed what "
                + "they are told. Simulated from the audit's own probabilities; it compares orders, and is "
                + "no promise of accuracy.")
    }
}
