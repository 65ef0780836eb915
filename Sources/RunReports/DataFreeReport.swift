import Report
import Training

/// What a run's page says of images that were made out of a teacher.
enum DataFreeReport {
    private static func phases(
        _ record: RunRecord
    ) -> [(result: PhaseResult, synthesis: SynthesisResult, epochs: [EpochMetrics])] {
        zip(record.scores.phases, record.metrics).compactMap { phase, epochs in
            phase.synthesis.map { (phase, $0, epochs) }
        }
    }

    /// What "test" means in the tables of these scores.
    static func measuresAgreement(_ scores: RunResult.Scores) -> Bool {
        scores.phases.contains { $0.synthesis?.hasTestData == false }
    }

    /// A note below a table of accuracies; nil where nothing was synthesised.
    static func note(_ scores: RunResult.Scores) -> String? {
        guard let last = scores.phases.last?.synthesis else { return nil }
        let held =
            "Validation of \(scores.phases.last!.name): agreement with the teacher on "
            + "\(last.heldOutImages) held-out synthetic images; no real sample selects."
        return last.hasTestData
            ? held : held + " There are no test samples: last and selected are that agreement too."
    }

    static func findings(_ record: RunRecord) -> [String] {
        phases(record).flatMap { phase, synthesis, _ in
            var line =
                "\(phase.name) learnt from \(synthesis.images) synthetic images (\(synthesis.method)"
            if let embeddings = synthesis.embeddings { line += ", class vectors: \(embeddings)" }
            line += ") and saw no real one."
            let agreement = phase.student.last.validation
            let held =
                "After the last epoch it agrees with its teacher on "
                + "\(percent(agreement.accuracy)) of \(synthesis.heldOutImages) held-out synthetic images."
            let gap = phase.teacher.map { teacher in
                "It is \(Numbers.fixed((teacher.test.accuracy - phase.student.last.test.accuracy) * 100, 1)) "
                    + "points below its teacher on the test split."
            }
            return [line, held] + [gap].compactMap(\.self) + synthesis.notes
        }
    }

    /// Two images of each class at a few moments of the run.
    static func sheets(_ record: RunRecord) -> [ImageGrid] {
        guard let pool = record.pool, let moments = try? pool.sheets(), !moments.isEmpty else {
            return []
        }
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
        return [
            ImageGrid(
                title: "Synthetic images", rows: rows,
                columns: moments.flatMap {
                    [$0.epoch == 0 ? "warm-up" : "epoch \($0.epoch)", ""]
                }, width: pool.shape[2], height: pool.shape[1], channels: pool.shape[0],
                note: "Two of each class as wanted, of the last batch of an epoch"
                    + (names.count < pool.classNames.count
                        ? "; the first \(names.count) classes." : "."))
        ]
    }

    static func charts(_ record: RunRecord) -> [CurveChart] {
        phases(record).flatMap { _, _, epochs -> [CurveChart] in
            let x = epochs.map { Double($0.epoch) }
            func curve(_ name: String, _ value: (EpochMetrics) -> Double?) -> Curve? {
                let values = epochs.map { value($0) ?? .nan }
                return values.contains(where: \.isFinite)
                    ? Curve(name: name, x: x, mean: values) : nil
            }
            func share(_ name: String, _ value: @escaping (SynthesisSummary) -> Double?) -> Curve? {
                curve(name) { $0.synthesis.flatMap(value).map { $0 * 100 } }
            }
            let terms = Set(epochs.flatMap { $0.synthesis?.terms.keys.map(\.self) ?? [] }).sorted()
            return [
                CurveChart(
                    title: "Synthetic images as the networks see them", xLabel: "epoch",
                    yLabel: "share (%)",
                    curves: [
                        share("teacher's confidence", \.confidence),
                        share("taken by the teacher for what was wanted", \.accuracy),
                        share("student agrees during the search", \.agreement),
                        curve("student agrees on held-out images") { $0.validation.accuracy * 100 },
                        curve("student agrees while it trains") {
                            $0.metrics?["teacher-agreement"].map { $0 * 100 }
                        },
                    ].compactMap(\.self)),
                CurveChart(
                    title: "Search for images, terms of its loss", xLabel: "epoch",
                    yLabel: "unweighted",
                    curves: terms.compactMap { name in
                        curve(name) { $0.synthesis?.terms[name] }
                    }, note: "Means over the epoch's batches, of the images that were kept."),
                CurveChart(
                    title: "Diversity of the images", xLabel: "epoch",
                    yLabel: "standard deviation of a pixel within a class",
                    curves: [
                        curve("in a batch") { $0.synthesis?.diversity },
                        curve("over the newest five batches") {
                            $0.synthesis?.diversityAcrossBatches
                        },
                    ].compactMap(\.self)),
                CurveChart(
                    title: "Steps until the teacher sees the wanted labels", xLabel: "epoch",
                    yLabel: "steps",
                    curves: [curve("cross-entropy below 0.2") { $0.synthesis?.stepsToLabels }]
                        .compactMap(\.self),
                    note: "Means over the batches that got there."),
            ].filter { !$0.curves.isEmpty }
        }
    }
}
