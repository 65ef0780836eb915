import Report
import Training

/// What a run's page says of losses that were weighed sample by sample.
enum MixingReport {
    private static func phases(
        _ record: RunRecord
    ) -> [(result: PhaseResult, mixing: MixingResult, epochs: [EpochMetrics])] {
        zip(record.scores.phases, record.metrics).compactMap { phase, epochs in
            phase.mixing.map { (phase, $0, epochs) }
        }
    }

    // MARK: Sentences

    static func findings(_ record: RunRecord) -> [String] {
        phases(record).flatMap { phase, mixing, _ in
            mixing.teachers.map { teacher in
                var line =
                    "\(phase.name): \(teacher.name), \(percent(teacher.scores.test.accuracy)) on the "
                    + "test split, has a mean weight of \(Numbers.fixed(teacher.weight, 2)) at the end"
                if let share = teacher.wrongShare {
                    line += "; it is wrong on \(percent(share)) of the training samples"
                }
                if let auc = teacher.wrongAUC {
                    line +=
                        ", and its weight is lower on one of these than on another with probability "
                        + Numbers.fixed(auc, 2)
                }
                return line + "."
            } + [labels(mixing)]
        }
    }

    private static func labels(_ mixing: MixingResult) -> String {
        let sentence =
            "A low weight says that a teacher's output did not help on the meta-validation split; it does "
            + "not detect wrong labels."
        guard let auc = mixing.alignmentAUC else { return sentence }
        return sentence
            + " The label alignment of the first meta pass is lower on a wrong label than on a right one "
            + "with probability \(Numbers.fixed(auc, 2))."
    }

    // MARK: Tables

    static func tables(_ record: RunRecord) -> [TableModel] {
        phases(record).flatMap { phase, mixing, _ in
            [shares(mixing, phase.name)]
                + samples(mixing, record.facts.classNames, phase.name)
        }
    }

    private static func shares(_ mixing: MixingResult, _ phase: String) -> TableModel {
        let rows = mixing.losses.map { loss in
            let teacher = mixing.teachers.first { $0.name == loss.name }
            func cell(_ value: Double?) -> String { value.map { Numbers.fixed($0, 3) } ?? "–" }
            return [
                loss.name, cell(loss.mean), cell(loss.quantiles.first), cell(loss.quantiles[2]),
                cell(loss.quantiles.last), cell(loss.meanRight), cell(loss.meanWrong),
                teacher?.wrongShare.map(percent) ?? "–", cell(teacher?.wrongAUC),
            ]
        }
        return TableModel(
            title: "Weights of the losses over the training samples (\(phase))",
            columns: [
                .init("loss"), .init("mean", .trailing), .init("5 %", .trailing),
                .init("median", .trailing), .init("95 %", .trailing),
                .init("mean, right labels", .trailing), .init("mean, wrong labels", .trailing),
                .init("teacher wrong", .trailing), .init("AUC, teacher wrong", .trailing),
            ], rows: rows,
            note:
                "After the last epoch. AUC: the probability that the teacher's weight on a sample where "
                + "it is wrong is below that on one where it is right; 0.5 is chance.")
    }

    private static func samples(
        _ mixing: MixingResult, _ names: [String], _ phase: String
    ) -> [TableModel] {
        func name(_ label: Int) -> String {
            names.indices.contains(label) ? names[label] : "\(label)"
        }
        return [
            ("Least trusted outputs of the first teacher", mixing.leastTrusted),
            ("Most trusted outputs of the first teacher", mixing.mostTrusted),
        ].filter { !$0.1.isEmpty }.map { title, samples in
            TableModel(
                title: "\(title) (\(phase))",
                columns: [
                    .init("sample", .trailing), .init("given label"), .init("clean label"),
                    .init("teacher predicts"), .init("weight", .trailing),
                ],
                rows: samples.map {
                    [
                        "\($0.index)", name($0.given), $0.clean.map(name) ?? "–",
                        name($0.predicted),
                        Numbers.fixed($0.weight, 3),
                    ]
                },
                note: "Among equal weights, in the order of the data. mixing.csv has every sample.")
        }
    }

    // MARK: Charts

    static func charts(_ record: RunRecord) -> [CurveChart] {
        phases(record).flatMap { phase, mixing, epochs in
            mixing.teachers.map { spread($0.name, epochs) }
                + [
                    labels(mixing, epochs), confidence(mixing), validation(epochs),
                ].filter { !$0.curves.isEmpty }
        }
    }

    private static func loss(_ name: String, _ epoch: EpochMetrics) -> MixingMetrics.Loss? {
        epoch.mixing?.losses.first { $0.name == name }
    }

    /// How the weights of one teacher spread over the samples, epoch by epoch.
    private static func spread(_ name: String, _ epochs: [EpochMetrics]) -> CurveChart {
        let x = epochs.map { Double($0.epoch) }
        let levels = ["5 %", "25 %", "median", "75 %", "95 %"]
        let quantiles = levels.enumerated().map { place, level in
            Curve(
                name: level, x: x,
                mean: epochs.map { loss(name, $0)?.quantiles[place] ?? .nan })
        }
        let mean = Curve(name: "mean", x: x, mean: epochs.map { loss(name, $0)?.mean ?? .nan })
        return CurveChart(
            title: "Weight of \(name)", xLabel: "epoch", yLabel: "weight",
            curves: [mean] + quantiles,
            note: "Mean and quantiles over the training samples.")
    }

    private static func labels(_ mixing: MixingResult, _ epochs: [EpochMetrics]) -> CurveChart {
        let x = epochs.map { Double($0.epoch) }
        let curves = mixing.teachers.flatMap { teacher in
            [
                Curve(
                    name: "\(teacher.name), right labels", x: x,
                    mean: epochs.map { loss(teacher.name, $0)?.meanRight ?? .nan }),
                Curve(
                    name: "\(teacher.name), wrong labels", x: x,
                    mean: epochs.map { loss(teacher.name, $0)?.meanWrong ?? .nan }),
            ]
        }
        return CurveChart(
            title: "Mean weight where the given label is right and where it is wrong",
            xLabel: "epoch", yLabel: "weight",
            curves: curves.filter { $0.mean.contains(where: \.isFinite) },
            note: "Shown because one might expect a difference; there need not be one.")
    }

    private static func confidence(_ mixing: MixingResult) -> CurveChart {
        CurveChart(
            title: "Weight and the teacher's confidence in the given label",
            xLabel: "tenth of the samples, from the least confident", yLabel: "mean weight",
            curves: mixing.teachers.map { teacher in
                Curve(
                    name: teacher.name,
                    x: teacher.weightByConfidence.indices.map { Double($0 + 1) },
                    mean: teacher.weightByConfidence)
            })
    }

    private static func validation(_ epochs: [EpochMetrics]) -> CurveChart {
        let passes = epochs.filter { $0.mixing?.groups != nil }
        let x = passes.map { Double($0.epoch) }
        let curves = [
            Curve(
                name: "student as it is", x: x,
                mean: passes.map { $0.mixing?.validationLoss ?? .nan }),
            Curve(
                name: "one step ahead", x: x, mean: passes.map { $0.mixing?.lookaheadLoss ?? .nan }),
        ]
        return CurveChart(
            title: "Meta-validation loss in the meta passes", xLabel: "epoch",
            yLabel: "loss (nats)",
            curves: passes.isEmpty ? [] : curves,
            note: "Mean over the groups of a pass; one step ahead with the weights it began with.")
    }
}

/// What a comparison says of a row whose last phase learnt weights per sample.
struct MixingScores {
    /// A teacher: its mean weight and the probability that the weight is lower where it is wrong.
    var names: [String]
    var weights: [Double]
    var wrongAUC: [Double?]
    var alignmentAUC: Double?

    /// Nil if the last phase learnt no weights.
    init?(_ result: PhaseResult?) {
        guard let mixing = result?.mixing, !mixing.teachers.isEmpty else { return nil }
        names = mixing.teachers.map(\.name)
        weights = mixing.teachers.map(\.weight)
        wrongAUC = mixing.teachers.map(\.wrongAUC)
        alignmentAUC = mixing.alignmentAUC
    }

    /// Per teacher over seeds; nil unless every seed learnt weights of the same teachers.
    static func table(_ groups: [(name: String, cells: [Comparison.Cell])]) -> TableModel? {
        var rows: [[String]] = []
        for (name, cells) in groups {
            let scores = cells.compactMap { MixingScores($0.results.last) }
            guard scores.count == cells.count, let first = scores.first else { continue }
            for (m, teacher) in first.names.enumerated() {
                func cell(_ values: [Double?]) -> String {
                    let known = values.compactMap(\.self)
                    return known.isEmpty
                        ? "–" : Numbers.estimate(Estimate(values: known), scale: 100)
                }
                rows.append([
                    name, teacher, cell(scores.map { $0.weights[m] }),
                    cell(scores.map { $0.wrongAUC[m] }), cell(scores.map(\.alignmentAUC)),
                ])
            }
        }
        guard !rows.isEmpty else { return nil }
        return TableModel(
            title: "Learnt weights of the teachers, in percent",
            columns: [
                .init("method"), .init("teacher"), .init("mean weight", .trailing),
                .init("AUC, teacher wrong", .trailing),
                .init("AUC of the label alignment", .trailing),
            ], rows: rows,
            note:
                "AUC, teacher wrong: how well a low weight tells samples where the teacher is wrong. The last "
                + "column: how well the first meta pass's label alignment tells wrong labels, which the "
                + "weights do not.")
    }
}
