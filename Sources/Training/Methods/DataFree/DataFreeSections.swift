import Report

/// What a phase shows of the images that were made out of its teacher.
struct DataFreeSections {
    let phase: PhaseResult
    let teacher: PhaseResult.Scores?
    let history: [EpochMetrics]
    /// The method of synthesis.
    let method: String
    /// What the generator was told of the classes, in words; nil where it is told nothing.
    let embeddings: String?
    let heldOutImages: Int
    /// What a reader should know.
    let notes: [String]
    let pool: SyntheticPool
    let moments: [SyntheticPool.Grid]

    var section: Section {
        Section(
            title: "Synthetic images", findings: findings, charts: charts,
            imageGrids: moments.isEmpty ? [] : [grid],
            values: [
                .init("images", "synthetic images", Double(pool.count), .count),
                .init(
                    "held-out-agreement", "agreement with the teacher on held-out ones",
                    phase.student.last.validation.accuracy, .percent(1), largerIsBetter: true),
            ], note: "After the last epoch.")
    }

    private var findings: [String] {
        var line = "\(phase.name) learnt from \(pool.count) synthetic images (\(method)"
        if let embeddings { line += ", class vectors: \(embeddings)" }
        line += ") and saw no real one."
        let held =
            "After the last epoch it agrees with its teacher on "
            + "\(percent(phase.student.last.validation.accuracy)) of \(heldOutImages) held-out "
            + "synthetic images."
        let gap = teacher.map { teacher in
            "It is \(Numbers.fixed((teacher.test.accuracy - phase.student.last.test.accuracy) * 100, 1)) "
                + "points below its teacher on the test split."
        }
        return [line, held] + [gap].compactMap(\.self) + notes
    }

    /// Two images of each class at a few moments of the run.
    private var grid: ImageGrid {
        let size = pool.shape.reduce(1, *)
        let names = pool.classNames.prefix(40)
        let rows = names.enumerated().map { label, name in
            ImageGrid.Row(
                name: name,
                images: moments.flatMap { moment in
                    let own = moment.labels.indices.filter { moment.labels[$0] == label }
                    return (0..<2).map { i in
                        i < own.count
                            ? Array(moment.bytes[own[i] * size..<(own[i] + 1) * size]) : nil
                    }
                })
        }
        return ImageGrid(
            title: "Synthetic images", rows: rows,
            columns: moments.flatMap {
                [$0.epoch == 0 ? "warm-up" : "epoch \($0.epoch)", ""]
            }, width: pool.shape[2], height: pool.shape[1], channels: pool.shape[0],
            note: "Two of each target class, of the last batch of an epoch"
                + (names.count < pool.classNames.count
                    ? "; the first \(names.count) classes." : "."))
    }

    private var charts: [CurveChart] {
        let x = history.map { Double($0.epoch) }
        func curve(_ name: String, _ value: (EpochMetrics) -> Double?) -> Curve? {
            let values = history.map { value($0) ?? .nan }
            return values.contains(where: \.isFinite) ? Curve(name: name, x: x, mean: values) : nil
        }
        func metric(_ name: String, _ metric: String, times factor: Double = 1) -> Curve? {
            curve(name) { $0.metrics?[metric].map { $0 * factor } }
        }
        typealias Name = SynthesisMetric
        let terms = Set(history.flatMap { $0.metrics?.keys.compactMap(Name.term) ?? [] }).sorted()
        return [
            CurveChart(
                title: "Synthetic images as the networks see them", xLabel: "epoch",
                yLabel: "share (%)",
                curves: [
                    metric("teacher's confidence", Name.confidence, times: 100),
                    metric("teacher predicts the target label", Name.accuracy, times: 100),
                    metric("student agrees during the search", Name.agreement, times: 100),
                    curve("student agrees on held-out images") { $0.validation.accuracy * 100 },
                    metric("student agrees while it trains", Name.teacherAgreement, times: 100),
                ].compactMap(\.self)),
            CurveChart(
                title: "Search for images, terms of its loss", xLabel: "epoch",
                yLabel: "unweighted",
                curves: terms.compactMap { metric($0, Name.named($0)) },
                note: "Means over the epoch's batches, of the images that were kept."),
            CurveChart(
                title: "Diversity of the images", xLabel: "epoch",
                yLabel: "standard deviation of a pixel within a class",
                curves: [
                    metric("in a batch", Name.diversity),
                    metric("over the newest five batches", Name.diversityAcrossBatches),
                ].compactMap(\.self)),
            CurveChart(
                title: "Steps until the teacher predicts the target labels", xLabel: "epoch",
                yLabel: "steps",
                curves: [metric("cross-entropy below 0.2", Name.stepsToLabels)].compactMap(\.self),
                note: "Means over the batches that got there."),
        ].filter { !$0.curves.isEmpty }
    }
}
