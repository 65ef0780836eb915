import Diagnostics

// Numbers among the options of a method: what the recipe says, in its range, or the usual value.

extension KeyedDecodingContainer {
    /// - Throws: a problem at `method.KEY` for a number outside of the range.
    func count(_ key: Key, or usual: Int, in range: ClosedRange<Int>) throws -> Int {
        let found = try decodeIfPresent(Int.self, forKey: key) ?? usual
        guard range.contains(found) else {
            throw Problem.outOfRange(
                "method.\(key.stringValue)", found: "\(found)",
                expected: "\(range.lowerBound) to \(range.upperBound)")
        }
        return found
    }

    /// - Parameter expected: the range in words: "above 0".
    /// - Throws: a problem at `method.KEY` for a number that is not finite or not right.
    func number(
        _ key: Key, or usual: Double, _ expected: String, _ isRight: (Double) -> Bool
    ) throws -> Double {
        let found = try decodeIfPresent(Double.self, forKey: key) ?? usual
        guard found.isFinite, isRight(found) else {
            throw Problem.outOfRange(
                "method.\(key.stringValue)", found: "\(found)", expected: expected)
        }
        return found
    }
}
