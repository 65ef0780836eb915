/// What a stage of self-distillation gains over the one before it on samples that neither learnt from, and
/// whether that is more than chance: the early stopping of Takanami, Takahashi and Sakata (2025, arXiv
/// 2501.16226) for data whose best number of stages is not known.
///
/// Both classify the same n samples; d_i = 1 where only the later one is right, −1 where only the earlier
/// one is, 0 elsewhere. The gain is the mean of d, its standard error √(var(d)/n), as in McNemar's test.
/// The stage is accepted where the gain exceeds one standard error. The paper stops where the optimal error
/// no longer falls; that the bar is one standard error is ours.
public struct StageGain: Equatable, Sendable {
    /// Share of the samples, −1 to 1.
    public let mean: Double
    public let standardError: Double

    /// - Parameters:
    ///   - before: whether the earlier stage is right, by sample.
    ///   - after: the same of the later one; as many.
    public init(before: [Bool], after: [Bool]) {
        precondition(before.count == after.count, "gains are of the same samples")
        let pairs = zip(before, after)
        self.init(
            gained: pairs.count { !$0 && $1 }, lost: pairs.count { $0 && !$1 }, of: before.count)
    }

    /// - Parameters:
    ///   - gained: samples that only the later stage gets right.
    ///   - lost: samples that only the earlier one gets right.
    ///   - count: of all samples.
    public init(gained: Int, lost: Int, of count: Int) {
        let n = Double(max(count, 1))
        mean = Double(gained - lost) / n
        let squares = Double(gained + lost) - n * mean * mean
        standardError = count > 1 ? (max(0, squares) / (n - 1) / n).squareRoot() : .infinity
    }

    /// A gain of nothing is none, however sure.
    public var isAccepted: Bool { mean > 0 && mean > standardError }
}
