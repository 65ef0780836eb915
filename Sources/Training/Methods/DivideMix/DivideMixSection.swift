import Report

/// What two networks made of the labels.
struct DivideMixSection {
    let names: [String]
    /// By row of the training split.
    let given: [Int]
    let right: [Int]?
    /// Of each network.
    let clean: [[Double]]
    let suggested: [[Int]]
    let history: [EpochMetrics]

    var sections: [Section] {
        var section = Section(
            title: "DivideMix", subject: "network",
            note:
                "Labelled: the share of the training samples whose label the other network trusted in the last "
                + "epoch; right labels: among them. AUC: how well a network's losses tell wrong labels.",
            columns: zip(names, clean).map {
                .init(name: "clean-by-\($0)", numbers: $1)
            }
                + zip(names, suggested).map {
                    .init(name: "suggested-by-\($0)", cells: $1.map(String.init))
                })
        let wrong = right.map { zip(given, $0).map { $0 != $1 } }
        for (k, name) in names.enumerated() {
            let labelled = values("labelled.\(name)").last
            let precision = values("label-precision.\(name)").last
            section.values += [
                .init("labelled", "labelled", of: name, labelled, .percent(1)),
                .init(
                    "label-precision", "right labels", of: name, precision, .percent(1),
                    largerIsBetter: true),
                .init(
                    "wrong-label-auc", "AUC, given label wrong", of: name,
                    wrong.flatMap { rankAUC(clean[k].map { -$0 }, $0) }, .percent(1),
                    largerIsBetter: true),
            ]
            let others = zip(suggested[k], given).count { $0 != $1 }
            section.findings.append(
                "\(name) suggests another label than the given one for "
                    + "\(percent(Double(others) / Double(max(1, given.count)))) of the training samples"
                    + (right.map { right in
                        let hits = zip(suggested[k], right).count { $0 == $1 }
                        return
                            "; \(percent(Double(hits) / Double(max(1, right.count)))) of its suggestions "
                            + "are right"
                    } ?? "") + ".")
        }
        section.charts = [
            chart("Samples with a trusted label", "labelled"),
            chart("Right labels among the trusted ones", "label-precision"),
        ].compactMap(\.self)
        return [section]
    }

    private func values(_ metric: String) -> [Double] { history.compactMap { $0.metrics?[metric] } }

    private func chart(_ title: String, _ metric: String) -> CurveChart? {
        let curves = names.compactMap { name -> Curve? in
            let known = history.filter { $0.metrics?["\(metric).\(name)"] != nil }
            guard !known.isEmpty else { return nil }
            return Curve(
                name: name, x: known.map { Double($0.epoch) },
                mean: known.map { 100 * ($0.metrics?["\(metric).\(name)"] ?? .nan) })
        }
        guard !curves.isEmpty else { return nil }
        return CurveChart(title: title, xLabel: "epoch", yLabel: "samples (%)", curves: curves)
    }
}
