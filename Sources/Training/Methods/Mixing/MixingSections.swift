import Report

/// What a phase shows of losses that were weighed sample by sample.
struct MixingSections {
    let mixing: MixingResult
    /// Name of the phase.
    let phase: String
    let classNames: [String]
    let history: [EpochMetrics]
    let columns: [Section.Column]

    var section: Section {
        Section(
            title: "Learnt weights of the teachers",
            findings: mixing.teachers.map(finding) + [labels],
            tables: [shares] + samples,
            charts: mixing.teachers.map { weights(of: $0.name) }
                + [byLabels, byConfidence, validation].filter { !$0.curves.isEmpty },
            values: values, subject: "teacher",
            note:
                "AUC, teacher wrong: how well a low weight tells samples where the teacher is wrong. AUC of "
                + "the label alignment: how well the first meta pass's label alignment tells wrong "
                + "labels, which the weights do not.", columns: columns)
    }

    private var values: [Section.Value] {
        guard !mixing.teachers.isEmpty else { return [] }
        return mixing.teachers.flatMap { teacher in
            [
                Section.Value(
                    "weight", "mean weight", of: teacher.name, teacher.weight, .percent(1)),
                Section.Value(
                    "wrong-auc", "AUC, teacher wrong", of: teacher.name, teacher.wrongAUC,
                    .percent(1), largerIsBetter: true),
            ]
        } + [
            Section.Value(
                "alignment-auc", "AUC of the label alignment", mixing.alignmentAUC, .percent(1),
                largerIsBetter: true)
        ]
    }

    // MARK: Sentences

    private func finding(_ teacher: MixingResult.Teacher) -> String {
        var line =
            "\(phase): \(teacher.name), \(percent(teacher.scores.test.accuracy)) on the "
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
    }

    private var labels: String {
        let sentence =
            "A low weight says that a teacher's output did not help on the meta-validation split; it does "
            + "not detect wrong labels."
        guard let auc = mixing.alignmentAUC else { return sentence }
        return sentence
            + " The label alignment of the first meta pass is lower on a wrong label than on a right one "
            + "with probability \(Numbers.fixed(auc, 2))."
    }

    // MARK: Tables

    private var shares: TableModel {
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

    private var samples: [TableModel] {
        func name(_ label: Int) -> String {
            classNames.indices.contains(label) ? classNames[label] : "\(label)"
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
                note: "Among equal weights, in the order of the data. samples.csv has every sample."
            )
        }
    }

    // MARK: Charts

    private func curve(_ name: String, _ metric: String) -> Curve {
        Curve(
            name: name, x: history.map { Double($0.epoch) },
            mean: history.map { $0.metrics?[metric] ?? .nan })
    }

    /// How the weights of one teacher are distributed over the samples, epoch by epoch.
    private func weights(of name: String) -> CurveChart {
        let quantiles = zip(["5 %", "25 %", "median", "75 %", "95 %"], WeightSummary.levels).map {
            curve($0, WeightSummary.quantile(name, $1))
        }
        return CurveChart(
            title: "Weight of \(name)", xLabel: "epoch", yLabel: "weight",
            curves: [curve("mean", WeightSummary.mean(name))] + quantiles,
            note: "Mean and quantiles over the training samples.")
    }

    private var byLabels: CurveChart {
        let curves = mixing.teachers.flatMap { teacher in
            [
                curve(
                    "\(teacher.name), right labels", WeightSummary.mean(teacher.name, right: true)),
                curve(
                    "\(teacher.name), wrong labels", WeightSummary.mean(teacher.name, right: false)),
            ]
        }
        return CurveChart(
            title: "Mean weight where the given label is right and where it is wrong",
            xLabel: "epoch", yLabel: "weight",
            curves: curves.filter { $0.mean.contains(where: \.isFinite) },
            note: "Shown because one might expect a difference; there need not be one.")
    }

    private var byConfidence: CurveChart {
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

    private var validation: CurveChart {
        let passes = history.filter { $0.metrics?[MetaPass.Sums.groups] != nil }
        let x = passes.map { Double($0.epoch) }
        func curve(_ name: String, _ metric: String) -> Curve {
            Curve(name: name, x: x, mean: passes.map { $0.metrics?[metric] ?? .nan })
        }
        return CurveChart(
            title: "Meta-validation loss in the meta passes", xLabel: "epoch",
            yLabel: "loss (nats)",
            curves: passes.isEmpty
                ? []
                : [
                    curve("student as it is", MetaPass.Sums.validationLoss),
                    curve("after a virtual step", MetaPass.Sums.virtualStepLoss),
                ],
            note: "Mean over the groups of a pass; the virtual step with the weights it began with."
        )
    }
}
