import Diagnostics

/// One of K parts of the learning samples that a run leaves out: `held-out: {fold: 1, of: 5}`.
///
/// The parts are those of ``Folds`` of all samples that are not the test split's. They depend on data and
/// seed and not on which of them is left out, so that K runs judge every sample once.
public struct HeldOutFold: Codable, Hashable, Sendable {
    /// Which one, 1 to `of`.
    public var fold: Int
    /// K, 2 to 50.
    public var of: Int

    public init(fold: Int, of: Int) {
        self.fold = fold
        self.of = of
    }

    enum CodingKeys: String, CodingKey, CaseIterable { case fold, of }

    func check() throws(Problem) {
        let range = Folds.range
        guard range.contains(of) else {
            throw .dataRange(
                "held-out.of", found: "\(of)",
                expected: "\(range.lowerBound) to \(range.upperBound)")
        }
        guard (1...of).contains(fold) else {
            throw .dataRange("held-out.fold", found: "\(fold)", expected: "1 to \(of)")
        }
    }
}
