import Report
import Training

/// What a run's page says of an encoder that learnt relations without labels.
enum RelationsReport {
    private static func phases(
        _ record: RunRecord
    ) -> [(phase: PhaseResult, relations: RelationsResult, epochs: [EpochMetrics])] {
        zip(record.scores.phases, record.metrics).compactMap { phase, epochs in
            phase.relations.map { (phase, $0, epochs) }
        }
    }

    static func warnings(_ record: RunRecord) -> [String] {
        phases(record).filter(\.relations.hasCollapsed).map {
            "The encoder of \($0.phase.name) has collapsed (spread \(Numbers.fixed($0.relations.spread, 3))): "
                + "its relations say nothing."
        }
    }

    static func findings(_ record: RunRecord) -> [String] {
        phases(record).flatMap { phase, relations, _ -> [String] in
            let nearest = percent(relations.nearest.test.accuracy)
            let linear = percent(relations.probe.test.accuracy)
            let same = percent(relations.sameClass)
            let made: String =
                "\(phase.name): \(relations.kind) on the training samples without labels, RMDNet "
                + "(reconstruction); \(relations.parameters) parameters and, while it learnt, "
                + "\(relations.headParameters) behind them."
            let worth: String =
                "\(relations.neighbours) nearest neighbours in its features are right on \(nearest) of "
                + "the test split, a linear classifier on \(linear); \(same) of a training sample's "
                + "nearest neighbours are of its class. These measures alone use the labels as they "
                + "were before noise was added."
            return [made, worth]
        }
    }

    static func tables(_ record: RunRecord) -> [TableModel] {
        phases(record).map { phase, relations, _ in
            func row(_ name: String, _ bank: String, _ v: Double, _ t: Double) -> [String] {
                [name, bank, percent(v), percent(t)]
            }
            let reference = relations.reference
            func few(_ name: String, _ a: RelationsResult.Accuracies) -> [String] {
                row(name, "\(reference.bank)", a.validation, a.test)
            }
            return TableModel(
                title: "The encoder (\(phase.name))",
                columns: [
                    .init("features"), .init("training samples", .trailing),
                    .init("validation", .trailing), .init("test", .trailing),
                ],
                rows: [
                    row(
                        "encoder, nearest neighbours", "all",
                        relations.nearest.validation.accuracy, relations.nearest.test.accuracy),
                    row(
                        "encoder, linear classifier", "all", relations.probe.validation.accuracy,
                        relations.probe.test.accuracy),
                    few("encoder, nearest neighbours", reference.encoder),
                    few("the same network untrained", reference.untrained),
                    few("pixels", reference.pixels),
                ],
                note:
                    "Accuracy of \(relations.neighbours) nearest neighbours by cosine, and of a linear classifier "
                    + "on the frozen features, both with the labels as they were before noise was added. The "
                    + "rows with fewer training samples ask at most 2,000 samples of a split.")
        }
    }

    static func charts(_ record: RunRecord) -> [CurveChart] {
        phases(record).flatMap { phase, _, epochs in
            let x = epochs.map { Double($0.epoch) }
            return [
                CurveChart(
                    title: "Nearest neighbours of the encoder", xLabel: "epoch",
                    yLabel: "accuracy (%)",
                    curves: [
                        Curve(name: "test", x: x, mean: epochs.map { 100 * $0.test.accuracy }),
                        Curve(
                            name: "validation", x: x,
                            mean: epochs.map { 100 * $0.validation.accuracy }),
                    ],
                    note: "Among at most 5,000 training samples, on at most 2,000 of each split."),
                CurveChart(
                    title: "Loss without labels", xLabel: "epoch", yLabel: "loss",
                    curves: [Curve(name: phase.name, x: x, mean: epochs.map(\.loss))]),
                CurveChart(
                    title: "Spread of the projections", xLabel: "epoch",
                    yLabel: "spread (1: even, 0: collapsed)",
                    curves: [
                        Curve(
                            name: phase.name, x: x,
                            mean: epochs.map { $0.metrics?["embedding-std"] ?? .nan })
                    ],
                    note:
                        "Standard deviation of each channel of the normalised projections, times the root of "
                        + "their dimension."),
            ]
        }
    }

    static func heatMaps(_ record: RunRecord) -> [HeatMap] {
        let names = record.facts.classNames
        return phases(record).flatMap { _, relations, _ in
            var maps: [HeatMap] = []
            if names.count <= 100 {
                maps.append(
                    HeatMap(
                        title: "Classes of nearest neighbours", rowLabels: names,
                        columnLabels: names, values: relations.neighbourShares, format: .percent(0),
                        rowAxis: "class of a sample", columnAxis: "class of its neighbours",
                        maximum: 1,
                        note:
                            "\(relations.neighbours) nearest training samples in the encoder's features."
                    ))
            }
            if !relations.matrix.isEmpty { maps.append(matrix(relations, names)) }
            return maps
        }
    }

    /// Cosines of features behind a ReLU are all high: the colours span what there is.
    private static func matrix(_ relations: RelationsResult, _ names: [String]) -> HeatMap {
        let off = relations.matrix.enumerated().flatMap { i, row in
            row.enumerated().filter { $0.offset != i }.map(\.element)
        }
        let low = off.min() ?? 0
        let range = max(1e-9, (off.max() ?? 1) - low)
        let labels = relations.matrixClasses.map {
            names.indices.contains($0) ? names[$0] : "\($0)"
        }
        return HeatMap(
            title: "Relations between training samples, sorted by class", rowLabels: labels,
            columnLabels: labels,
            values: relations.matrix.enumerated().map { i, row in
                row.enumerated().map { j, value in i == j ? .nan : (value - low) / range }
            }, format: .decimal(2), rowAxis: "sample", columnAxis: "sample", maximum: 1,
            note:
                "Cosines of the encoder's features, from \(Numbers.fixed(low, 2)) (0) to "
                + "\(Numbers.fixed(low + range, 2)) (1). Blocks on the diagonal are relations that agree "
                + "with the classes.")
    }
}
