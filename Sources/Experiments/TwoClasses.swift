import Diagnostics
import Randomness

/// A problem of two classes made from a set of features: a pair of classes, or one against the rest.
public struct TwoClasses: Sendable {
    public let features: FeatureSet
    /// Rows that take part.
    public let members: [Int]
    /// By row of `features`: true for the class s = +1.
    public let given: [Bool]
    public let clean: [Bool]?
    public let positive: String
    public let negative: String

    /// - Parameters:
    ///   - pair: numbers of the two classes; the second is the positive one. A row belongs to the pair
    ///     if its clean label does, or, where none is known, its given one.
    public init(_ features: FeatureSet, pair: (Int, Int)) throws(Problem) {
        let range = 0..<features.classNames.count
        guard range.contains(pair.0), range.contains(pair.1), pair.0 != pair.1 else {
            throw .badFeatures(
                features.name, "classes", "\(pair.0) and \(pair.1)",
                "two different numbers from 0 to \(range.count - 1)")
        }
        let truth = features.clean ?? features.labels
        let both = [pair.0, pair.1]
        members = truth.indices.filter {
            both.contains(truth[$0]) && both.contains(features.labels[$0])
        }
        self.features = features
        given = features.labels.map { $0 == pair.1 }
        clean = features.clean.map { $0.map { $0 == pair.1 } }
        negative = features.classNames[pair.0]
        positive = features.classNames[pair.1]
        try check()
    }

    /// - Parameter one: the number of the positive class; all others are the negative one.
    public init(_ features: FeatureSet, oneAgainstRest one: Int) throws(Problem) {
        guard (0..<features.classNames.count).contains(one) else {
            throw .badFeatures(
                features.name, "class", "\(one)", "0 to \(features.classNames.count - 1)")
        }
        members = Array(features.labels.indices)
        self.features = features
        given = features.labels.map { $0 == one }
        clean = features.clean.map { $0.map { $0 == one } }
        positive = features.classNames[one]
        negative = features.classNames.count == 2 ? features.classNames[1 - one] : "the rest"
        try check()
    }

    public func rows(_ part: FeatureSet.Part) -> [Int] {
        members.filter { features.split[$0] == part }
    }

    private func check() throws(Problem) {
        let rows = rows(.train)
        for sign in [true, false] {
            let count = rows.count { given[$0] == sign }
            guard count >= 10 else {
                throw .badFeatures(
                    features.name, "class \(sign ? positive : negative)",
                    "\(count) training samples", "at least 10")
            }
        }
    }
}

extension TwoClasses {
    /// Training rows, at most `limit` of them, drawn without regard to class.
    public func sample(limit: Int, seed: UInt64) -> [Int] {
        var rows = rows(.train)
        guard rows.count > limit else { return rows }
        var draw = Draw(seed: seed, .split, epoch: 2)
        rows.shuffle(using: &draw)
        return rows[..<limit].sorted()
    }
}
