import Diagnostics

/// Synthetic data: tasks for controlled experiments, the same on every machine for the
/// same numbers and seed. Labels are true; classes come in turn (sample i is of class
/// i mod `classes`), so that they differ by one sample at most.
enum Synthetic {
    /// More than that is no toy any more.
    static let largestCount = 1_000_000
    static let largestSize = 20_000_000

    static func check(classes: Int, samples: Int, features: Int) throws(Problem) {
        guard (2...1_000).contains(classes) else {
            throw .dataRange("classes", found: "\(classes)", expected: "2 to 1000")
        }
        let most = min(largestCount, largestSize / max(1, features))
        guard (2 * classes...most).contains(samples) else {
            throw .dataRange(
                "samples", found: "\(samples)", expected: "\(2 * classes) to \(most)")
        }
    }

    /// A number of everyday size: above `low` (or at it), up to a million.
    static func check(
        _ key: String, _ value: Double, from low: Double, open: Bool = true
    ) throws(Problem) {
        guard value <= 1e6, open ? value > low : value >= low else {
            throw .dataRange(
                key, found: "\(value)",
                expected: open ? "above \(Int(low)), at most 1000000" : "\(Int(low)) to 1000000")
        }
    }
}
