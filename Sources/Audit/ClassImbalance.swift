/// Whether a class has very few labels: its share is below `limit`/classes.
public struct ClassImbalance: Equatable, Sendable {
    /// Share of each class, 0 to 1.
    public let shares: [Double]
    /// The class with the fewest labels of those that have any, the first of equals.
    public let rarest: Int
    /// Whether it is rare.
    public let isIssue: Bool

    /// - Parameters:
    ///   - labels: 0 to classes − 1, at least one.
    ///   - limit: share of what a class had if all had as many.
    public init(_ labels: [Int], classes: Int, limit: Double = 0.1) {
        precondition(!labels.isEmpty)
        var counts = [Int](repeating: 0, count: classes)
        for label in labels { counts[label] += 1 }
        shares = counts.map { Double($0) / Double(labels.count) }
        let present = counts.indices.filter { counts[$0] > 0 }
        rarest = present.min { (counts[$0], $0) < (counts[$1], $1) }!
        isIssue = shares[rarest] < limit / Double(present.count)
    }

    /// For each sample the share of its class if that is the rarest, else 1.
    public func scores(_ labels: [Int]) -> [Double] {
        labels.map { $0 == rarest ? shares[rarest] : 1 }
    }
}
