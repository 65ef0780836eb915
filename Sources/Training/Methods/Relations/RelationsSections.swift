import Distillation
import Report

/// What a phase shows of an encoder that learnt relations without labels.
struct RelationsSections {
    let relations: RelationsResult
    /// Name of the phase.
    let phase: String
    let classNames: [String]
    let history: [EpochMetrics]

    var section: Section {
        Section(
            title: "Encoders that learnt without labels, RMDNet (reconstruction)",
            summary:
                "\(relations.neighbours) nearest neighbours "
                + "\(percent(relations.nearest.test.accuracy)) on the test split, linear classifier "
                + "\(percent(relations.probe.test.accuracy)), embedding std "
                + Numbers.fixed(relations.embeddingStd, 2),
            warnings: warnings, findings: findings, tables: [table], charts: charts,
            heatMaps: heatMaps, values: values,
            note:
                "Neighbours and linear: test accuracy of nearest neighbours and of a linear classifier on the "
                + "frozen features, with the labels as they were before noise; few: among at most "
                + "5,000 training samples, on at most 2,000. Embedding std: of the projections' "
                + "directions, 1 if they are even, 0 if the encoder has collapsed.")
    }

    private var values: [Section.Value] {
        func test(_ name: String, _ title: String, _ accuracy: Double) -> Section.Value {
            .init(name, title, accuracy, .percent(1), largerIsBetter: true)
        }
        let few = relations.reference
        return [
            test("neighbours", "neighbours", relations.nearest.test.accuracy),
            test("linear", "linear", relations.probe.test.accuracy),
            test("neighbours-few", "neighbours, few", few.encoder.test),
            test("untrained-few", "untrained, few", few.untrained.test),
            test("pixels-few", "pixels, few", few.pixels.test),
            .init("embedding-std", "embedding std", relations.embeddingStd, .decimal(2)),
            .init("parameters", "parameters", Double(relations.parameters), .count),
        ]
    }

    private var warnings: [String] {
        var warnings: [String] = []
        if relations.hasCollapsed {
            warnings.append(
                "The encoder of \(phase) has collapsed (embedding std "
                    + "\(Numbers.fixed(relations.embeddingStd, 3))): its relations say nothing.")
        }
        if relations.reference.isPoor { warnings.append(poor) }
        return warnings
    }

    /// That the encoder knows no more than the pixels, and what may help.
    private var poor: String {
        let own = percent(relations.reference.encoder.validation)
        let pixels = percent(relations.reference.pixels.validation)
        // On small images SimCLR learns in fewer epochs than SimSiam.
        let kind =
            relations.kind == SelfSupervision.simCLR.rawValue
            ? "" : ", or relation.encoder.kind=\(SelfSupervision.simCLR.rawValue)"
        return
            "The encoder of \(phase) is no better than the pixels: nearest neighbours \(own) right in its "
            + "features, \(pixels) in the pixels (validation split). Its relations may guide little. "
            + "Try more relation.encoder.epochs, other relation.encoder.views\(kind)."
    }

    private var findings: [String] {
        let nearest = percent(relations.nearest.test.accuracy)
        let linear = percent(relations.probe.test.accuracy)
        let same = percent(relations.sameClass)
        return [
            "\(phase): \(relations.kind) on the training samples without labels, RMDNet "
                + "(reconstruction); \(relations.parameters) parameters and, while it learnt, "
                + "\(relations.headParameters) behind them.",
            "\(relations.neighbours) nearest neighbours in its features are right on \(nearest) of "
                + "the test split, a linear classifier on \(linear); \(same) of a training sample's "
                + "nearest neighbours are of its class. These numbers alone use the labels as they "
                + "were before noise was added.",
        ]
    }

    private var table: TableModel {
        func row(_ name: String, _ bank: String, _ v: Double, _ t: Double) -> [String] {
            [name, bank, percent(v), percent(t)]
        }
        let reference = relations.reference
        func few(_ name: String, _ a: RelationsResult.Accuracies) -> [String] {
            row(name, "\(reference.bank)", a.validation, a.test)
        }
        return TableModel(
            title: "The encoder (\(phase))",
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

    private var charts: [CurveChart] {
        let x = history.map { Double($0.epoch) }
        return [
            CurveChart(
                title: "Nearest neighbours of the encoder", xLabel: "epoch",
                yLabel: "accuracy (%)",
                curves: [
                    Curve(name: "test", x: x, mean: history.map { 100 * $0.test.accuracy }),
                    Curve(
                        name: "validation", x: x,
                        mean: history.map { 100 * $0.validation.accuracy }),
                ],
                note: "Among at most 5,000 training samples, on at most 2,000 of each split."),
            CurveChart(
                title: "Loss without labels", xLabel: "epoch", yLabel: "loss",
                curves: [Curve(name: phase, x: x, mean: history.map(\.loss))]),
            CurveChart(
                title: "Embedding std", xLabel: "epoch",
                yLabel: "embedding std (1: even, 0: collapsed)",
                curves: [
                    Curve(
                        name: phase, x: x,
                        mean: history.map { $0.metrics?[EncoderObjective.std] ?? .nan })
                ],
                note:
                    "Standard deviation of each channel of the normalised projections, times the root of "
                    + "their dimension."),
        ]
    }

    private var heatMaps: [HeatMap] {
        var maps: [HeatMap] = []
        if classNames.count <= 100 {
            maps.append(
                HeatMap(
                    title: "Classes of nearest neighbours", rowLabels: classNames,
                    columnLabels: classNames, values: relations.neighbourShares,
                    format: .percent(0), rowAxis: "class of a sample",
                    columnAxis: "class of its neighbours", maximum: 1,
                    note:
                        "\(relations.neighbours) nearest training samples in the encoder's features."
                ))
        }
        if !relations.matrix.isEmpty { maps.append(matrix) }
        return maps
    }

    /// Cosines of features behind a ReLU are all high: the colours span what there is.
    private var matrix: HeatMap {
        let off = relations.matrix.enumerated().flatMap { i, row in
            row.enumerated().filter { $0.offset != i }.map(\.element)
        }
        let low = off.min() ?? 0
        let range = max(1e-9, (off.max() ?? 1) - low)
        let labels = relations.matrixClasses.map {
            classNames.indices.contains($0) ? classNames[$0] : "\($0)"
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
