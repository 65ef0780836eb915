import Datasets
import Diagnostics
import Distillation
import Report
import Torch

/// What the teachers of a mix say about the training samples, for the record.
struct MixedTeachers {
    /// Of the teachers; of all losses.
    var names: [String] = []
    var losses: [String] = []
    var scores: [PhaseResult.Scores] = []
    /// Per teacher and row of the training split: the predicted class, and the probability of the
    /// given label.
    var predicted: [[Int]] = []
    var confidence: [[Float]] = []
    /// Per teacher, whether it was corrupted on purpose: what is right is then known even where the
    /// data has no labels beside the given ones.
    var isCorrupted: [Bool] = []

    /// - Parameters:
    ///   - logits: [rows of the training split, C].
    ///   - given: label of each row.
    mutating func add(logits: Logits, given: [Int]) {
        predicted.append(logits.predictions.ints())
        let p = logits.probabilities().tensor
        let index = Tensor(given, [given.count, 1]).to(p.device)
        confidence.append(p.gathered(1, index).floats())
    }
}

/// Weights of one loss over the training samples.
struct WeightSummary {
    var name: String
    var mean: Double
    /// At `levels`.
    var quantiles: [Double]
    /// Over samples whose given label is wrong, and over the others, where that is known.
    var meanWrong: Double?
    var meanRight: Double?

    static let levels = [5, 25, 50, 75, 95]  // percent

    // Names of an epoch's metrics.
    static func mean(_ loss: String) -> String { "weight.\(loss).mean" }
    static func mean(_ loss: String, right: Bool) -> String {
        "weight.\(loss).\(right ? "right" : "wrong")-labels"
    }
    static func quantile(_ loss: String, _ level: Int) -> String {
        "weight.\(loss).quantile-\(level)"
    }

    var metrics: [String: Double] {
        var metrics = [Self.mean(name): mean]
        for (level, value) in zip(Self.levels, quantiles) {
            metrics[Self.quantile(name, level)] = value
        }
        metrics[Self.mean(name, right: false)] = meanWrong
        metrics[Self.mean(name, right: true)] = meanRight
        return metrics
    }
}

extension MetaPass.Sums {
    // Names of an epoch's metrics.
    static let groups = "meta.groups"
    static let validationLoss = "meta.validation-loss"
    static let virtualStepLoss = "meta.virtual-step-loss"

    /// Groups of the pass, what became of their repeats, and the mean validation loss of the student
    /// before the pass's virtual steps and after them.
    var metrics: [String: Double] {
        let count = Double(max(1, groups))
        var metrics = [
            Self.groups: Double(groups), Self.validationLoss: loss / count,
            Self.virtualStepLoss: virtualStep / count,
        ]
        for (verdict, number) in repeats { metrics["meta.repeats.\(verdict)"] = Double(number) }
        return metrics
    }
}

/// What the weights came to, at the end of training.
struct MixingResult {
    struct Teacher {
        var name: String
        var scores: PhaseResult.Scores
        /// Mean weight of its term.
        var weight: Double
        /// On the training samples, how often its (possibly corrupted) output is wrong, where clean
        /// labels are known; of a teacher that is corrupted on purpose, otherwise by the given labels.
        var wrongShare: Double?
        /// Probability that its weight on a sample where it is wrong is below that on one where it is
        /// right: ½ is chance.
        var wrongAUC: Double?
        /// Mean weight over tenths of the samples, by this teacher's probability of the given label,
        /// from the lowest.
        var weightByConfidence: [Double]
    }

    struct Sample {
        /// In the learning set.
        var index: Int
        var given: Int
        var clean: Int?
        var predicted: Int
        var weight: Double
    }

    var losses: [WeightSummary]
    var teachers: [Teacher]
    /// Of the first teacher: the samples on which it is trusted least and most.
    var leastTrusted: [Sample]
    var mostTrusted: [Sample]
    /// Probability that the early alignment of the label's gradient is lower for a wrong label than for a
    /// right one, where clean labels are known. It, and not λ, tells wrong labels.
    var alignmentAUC: Double?
}

extension AdaptiveMixingObjective {
    /// w [rows of the training split][K].
    private var weights: [[Float]] {
        let values = table.weights().to(.float32).floats()
        return (0..<table.count).map {
            Array(values[$0 * table.lossCount..<($0 + 1) * table.lossCount])
        }
    }

    private func isWrong(_ phase: PhaseContext) -> [Bool]? {
        phase.cleanLabels.map { zip($0, phase.givenLabels).map { $0 != $1 } }
    }

    /// - Parameter meta: of the pass before the epoch; nil where there was none.
    func metrics(of meta: MetaPass.Sums?, _ phase: PhaseContext) -> [String: Double] {
        summaries(weights, isWrong(phase)).reduce(into: meta?.metrics ?? [:]) {
            $0.merge($1.metrics) { $1 }
        }
    }

    private func summaries(
        _ weights: [[Float]], _ isWrong: [Bool]?
    ) -> [WeightSummary] {
        teachers.losses.enumerated().map { k, name in
            let values = weights.map { Double($0[k]) }
            let sorted = values.sorted()
            func mean(_ wrong: Bool) -> Double? {
                isWrong.flatMap { flags in
                    let own = zip(values, flags).filter { $0.1 == wrong }.map(\.0)
                    return own.isEmpty ? nil : own.reduce(0, +) / Double(own.count)
                }
            }
            return .init(
                name: name, mean: values.reduce(0, +) / Double(values.count),
                quantiles: WeightSummary.levels.map {
                    sorted[Int((Double($0) / 100 * Double(sorted.count - 1)).rounded())]
                }, meanWrong: mean(true), meanRight: mean(false))
        }
    }

    /// The record of a mix.
    func result(_ phase: PhaseContext) -> MixingResult {
        let (weights, data) = (weights, phase.data)
        let isWrong = isWrong(phase)
        let clean = data.knowsClean ? data.learning.clean : nil
        let members = data.split.train
        let each = teachers.names.indices.map { m in
            let own = weights.map { Double($0[m + 1]) }
            let truth =
                clean
                ?? (teachers.isCorrupted[m] ? data.learning.clean ?? data.learning.labels : nil)
            let wrong = truth.map { truth in
                zip(teachers.predicted[m], members).map { $0 != truth[$1] }
            }
            return MixingResult.Teacher(
                name: teachers.names[m], scores: teachers.scores[m],
                weight: own.reduce(0, +) / Double(own.count),
                wrongShare: wrong.map { Double($0.count { $0 }) / Double($0.count) },
                wrongAUC: wrong.flatMap { rankAUC(own.map { -$0 }, $0) },
                weightByConfidence: tenths(own, by: teachers.confidence[m]))
        }
        var least: [MixingResult.Sample] = []
        var most: [MixingResult.Sample] = []
        if !teachers.names.isEmpty {
            let order = weights.indices.sorted {
                (weights[$0][1], $0) < (weights[$1][1], $1)
            }
            func sample(_ row: Int) -> MixingResult.Sample {
                .init(
                    index: members[row], given: data.learning.labels[members[row]],
                    clean: clean?[members[row]], predicted: teachers.predicted[0][row],
                    weight: Double(weights[row][1]))
            }
            least = order.prefix(20).map(sample)
            most = order.suffix(20).reversed().map(sample)
        }
        let alignment = table.firstAlignment.floats().map(Double.init)
        let seen = alignment.indices.filter { alignment[$0].isFinite }
        let alignmentAUC = isWrong.flatMap { flags in
            rankAUC(seen.map { -alignment[$0] }, seen.map { flags[$0] })
        }
        return MixingResult(
            losses: summaries(weights, isWrong), teachers: each, leastTrusted: least,
            mostTrusted: most,
            alignmentAUC: alignmentAUC)
    }

    /// Mean of `values` in ten groups of equal size in the order of `keys`.
    private func tenths(_ values: [Double], by keys: [Float]) -> [Double] {
        let order = values.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
        return (0..<10).map { tenth in
            let part = order[order.count * tenth / 10..<order.count * (tenth + 1) / 10]
            return part.isEmpty ? 0 : part.reduce(0) { $0 + values[$1] } / Double(part.count)
        }
    }

    /// Per training sample each teacher's prediction, the weight of every loss, and the alignment of the
    /// label's gradient with the validation loss at the first and the latest meta pass.
    var columns: [Section.Column] {
        let weights = weights
        func column(_ name: String, _ values: [Float]) -> Section.Column {
            .init(name: name, numbers: values.map { Double($0) })
        }
        return zip(teachers.names, teachers.predicted).map { name, predicted in
            .init(name: "\(name)-predicts", cells: predicted.map(String.init))
        }
            + teachers.losses.enumerated().map { k, name in
                column("weight-\(name)", weights.map { $0[k] })
            }
            + [
                column("alignment-first", table.firstAlignment.floats()),
                column("alignment-latest", table.latestAlignment.floats()),
            ]
    }
}

/// Area under the ROC curve: the probability that a positive's score is above a negative's, ties
/// counting half. Nil without both kinds.
func rankAUC(_ scores: [Double], _ isPositive: [Bool]) -> Double? {
    let positives = isPositive.count { $0 }
    guard positives > 0, positives < isPositive.count else { return nil }
    let order = scores.indices.sorted { scores[$0] < scores[$1] }
    var sum = 0.0
    var i = 0
    while i < order.count {
        var j = i
        while j + 1 < order.count, scores[order[j + 1]] == scores[order[i]] { j += 1 }
        let rank = Double(i + j) / 2 + 1
        for k in i...j where isPositive[order[k]] { sum += rank }
        i = j + 1
    }
    let p = Double(positives)
    return (sum - p * (p + 1) / 2) / (p * Double(isPositive.count - positives))
}
