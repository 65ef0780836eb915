/// In what order labels are best checked by somebody who has time for some of them: by what a right label is
/// expected to change, not by how likely the given one is wrong.
///
///     worth = P(label wrong) · (1 − E[p(true class)])
///
/// p: the probability that networks give the class without having seen the sample. Where they are sure of the right
/// class, they do so in spite of the wrong label: it does little harm, and putting it right does little good. What
/// is nearly surely wrong is therefore not what is worth most.
public struct Worth: Codable, Equatable, Sendable {
    /// Of each sample.
    public let values: [Double]
    /// Samples, the most worth first, the first of equals first.
    public let order: [Int]

    /// - Parameters:
    ///   - probabilities: that each label is wrong.
    ///   - networkOnTruth: `LabelPosterior.networkOnTruth`.
    public init(probabilities: [Double], networkOnTruth: [Double]) {
        precondition(probabilities.count == networkOnTruth.count, "both of each sample")
        values = zip(probabilities, networkOnTruth).map { $0 * (1 - min(1, max(0, $1))) }
        order = InjectionCurve.order(values)
    }

    /// What checking the first n samples of an order is expected to change: by how much the mean probability of the
    /// true class would grow if networks then believed what they are told. Index n is for n samples, from 0.
    ///
    /// It compares orders; accuracy grows by less or by more, as networks carry over to their neighbours what they learn.
    public func gains(in order: some Sequence<Int>) -> [Double] {
        var gains = [0.0]
        for i in order { gains.append(gains[gains.count - 1] + values[i] / Double(values.count)) }
        return gains
    }

    /// The same for a random order, on average.
    public func gainsAtRandom(count: Int) -> [Double] {
        let mean = values.reduce(0, +) / Double(max(1, values.count))
        return (0...count).map { mean * Double($0) / Double(max(1, values.count)) }
    }
}
