import Diagnostics
import Distillation
import Foundation
import Report
import Torch

/// How each training sample is predicted from epoch to epoch, by the forward passes that training takes anyway.
///
///     area under the margin   mean over epochs of  z_y − max_{k≠y} z_k
///     forgetting events       how often a prediction of the given label is followed by one of another class
///     agreement               share of epochs in which the given label is predicted
///     early agreement         the same over the first third of the epochs, rounded up
///
/// z: logits in training mode of the inputs that the network sees; y: the given label. A network predicts
/// samples with right labels early and surely, and those with wrong ones late, if at all: Pleiss, Zhang,
/// Elenberg, Weinberger, "Identifying Mislabeled Data using the Area Under the Margin Ranking", 2020, arXiv
/// 2001.10528; Toneva, Sordoni, Tachet des Combes, Trischler, Bengio, Gordon, "An Empirical Study of Example
/// Forgetting during Deep Neural Network Learning", 2019, arXiv 1812.05159. Both from memory; the extra class of
/// the first, which sets a threshold, is left out.
///
/// Of several networks the record is the mean. Of a sample that no network saw by itself nothing is known.
final class SampleDynamics {
    private let learners: Int
    private let rows: Int
    private let earlyEpochs: Int
    // By learner, then row.
    private var margins: [Double]
    private var count: [Int]
    private var right: [Int]
    private var earlyCount: [Int]
    private var earlyRight: [Int]
    private var forgotten: [Int]
    /// Whether the latest prediction was the given label: −1 before the first, then 0 or 1.
    private var latest: [Int]

    /// - Parameter rows: samples of the training split.
    init(rows: Int, learners: Int, epochs: Int) {
        self.rows = rows
        self.learners = learners
        earlyEpochs = max(1, (epochs + 2) / 3)
        let none = [Int](repeating: 0, count: rows * learners)
        margins = [Double](repeating: 0, count: rows * learners)
        (count, right, earlyCount, earlyRight, forgotten) = (none, none, none, none, none)
        latest = [Int](repeating: -1, count: rows * learners)
    }

    /// - Parameters:
    ///   - logits: [N, C].
    ///   - predictions: their largest.
    ///   - rows: all different.
    ///   - labels: given ones [N].
    ///   - epoch: from 0.
    func note(
        _ logits: Logits, predictions: [Int], rows: [Int], labels: Tensor, epoch: Int, learner: Int
    ) {
        let margin = withoutGradient { givenMargin(logits.detached, labels: labels) }.doubles()
        let given = labels.ints()
        for (i, row) in rows.enumerated() {
            let place = learner * self.rows + row
            let isRight = predictions[i] == given[i] ? 1 : 0
            margins[place] += margin[i]
            count[place] += 1
            right[place] += isRight
            if epoch < earlyEpochs {
                earlyCount[place] += 1
                earlyRight[place] += isRight
            }
            if latest[place] == 1, isRight == 0 { forgotten[place] += 1 }
            latest[place] = isRight
        }
    }

    // MARK: What came out

    /// By row; not-a-number where nothing is known.
    struct Summary {
        var observations: [Int]
        var margin: [Double]
        var forgetting: [Double]
        var agreement: [Double]
        var earlyAgreement: [Double]
    }

    var summary: Summary {
        func total(_ values: [Int]) -> [Int] {
            (0..<rows).map { row in (0..<learners).reduce(0) { $0 + values[$1 * rows + row] } }
        }
        func ratio(_ sums: [Double], _ counts: [Int]) -> [Double] {
            zip(sums, counts).map { $1 > 0 ? $0 / Double($1) : .nan }
        }
        let all = total(count)
        let margin = (0..<rows).map { row in
            (0..<learners).reduce(0) { $0 + margins[$1 * rows + row] }
        }
        return Summary(
            observations: all, margin: ratio(margin, all),
            forgetting: zip(total(forgotten), all).map {
                $1 > 0 ? Double($0) / Double(learners) : .nan
            },
            agreement: ratio(total(right).map(Double.init), all),
            earlyAgreement: ratio(total(earlyRight).map(Double.init), total(earlyCount)))
    }

    func section(of phase: PhaseContext) -> Section {
        let summary = summary
        let given = phase.givenLabels
        let known = summary.margin.indices.filter { summary.observations[$0] > 0 }
        let auc = phase.cleanLabels.flatMap { clean in
            rankAUC(known.map { -summary.margin[$0] }, known.map { given[$0] != clean[$0] })
        }
        func cells(_ values: [Double]) -> [String] {
            values.map { $0.isFinite ? formatted($0) : "" }
        }
        let never = known.count { summary.agreement[$0] == 0 }
        return Section(
            title: "Training dynamics",
            findings: known.isEmpty
                ? []
                : [
                    "The given label was never predicted for "
                        + "\(percent(Double(never) / Double(known.count))) of the training samples."
                ],
            values: [
                .init(
                    "margin-auc", "AUC of the margin, given label wrong", auc, .percent(1),
                    largerIsBetter: true)
            ],
            note:
                "Margin: logit of the given label less the largest other one, mean over epochs, while training. "
                + "AUC: how well a small margin tells wrong labels.",
            columns: [
                .init(name: "margin", cells: cells(summary.margin)),
                .init(name: "forgetting-events", cells: cells(summary.forgetting)),
                .init(name: "given-predicted", cells: cells(summary.agreement)),
                .init(name: "given-predicted-early", cells: cells(summary.earlyAgreement)),
            ])
    }

    // MARK: Checkpoints

    private static let names = [
        "count", "right", "early-count", "early-right", "forgotten", "latest",
    ]
    private var counters: [[Int]] { [count, right, earlyCount, earlyRight, forgotten, latest] }

    var state: [NamedTensor] {
        [("margins", Tensor(margins, [margins.count]))]
            + zip(SampleDynamics.names, counters).map { ($0, Tensor($1, [$1.count])) }
    }

    func restore(from saved: [String: Tensor], _ path: String) throws(Problem) {
        let state = state
        try fill(state, from: saved, path)
        margins = state[0].tensor.doubles()
        let values = state.dropFirst().map { $0.tensor.ints() }
        (count, right, earlyCount) = (values[0], values[1], values[2])
        (earlyRight, forgotten, latest) = (values[3], values[4], values[5])
    }
}

/// z_y − max_{k≠y} z_k of each sample [N]; 0 where there is one class. Float32 unless the logits are float64.
///
/// - Parameter labels: y [N], int64.
func givenMargin(_ logits: Logits, labels: Tensor) -> Tensor {
    let z = logits.tensor.dtype == .float64 ? logits.tensor : logits.tensor.to(.float32)  // [N, C]
    guard z.shape[1] > 1 else { return .zeros([z.shape[0]]) }
    let own = z.gathered(1, labels.unsqueezed(1)).squeezed(1)  // [N]
    let isOwn = labels.oneHot(z.shape[1]).equal(1)  // [N, C]
    return own - z.filled(where: isOwn, with: -.infinity).max(1)
}
