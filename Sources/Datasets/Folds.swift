import Diagnostics
import Randomness

/// Parts of some samples of a data set, each of which networks leave out in turn, so that every sample is
/// predicted by a network that did not see it.
///
/// Invariants: every sample is in one part; samples of a group and samples with equal features are in the
/// same one; the same data, samples and seed give the same parts. Stratified by given label: without groups
/// and repetitions the numbers of a class differ by at most one between parts, and the sizes as well.
public struct Folds: Equatable, Sendable {
    /// The samples of each part, ascending.
    public let parts: [[Int]]

    /// Fewer leave networks with half of the samples; with more, little is gained for the time.
    public static let range = 2...50

    /// - Parameters:
    ///   - members: indices of samples.
    ///   - count: parts, at least 2.
    /// - Throws: where there are fewer samples, or sets of samples that belong together, than parts.
    public init(
        _ data: Dataset, members: [Int], count: Int, seed: UInt64
    ) throws(Problem) {
        let isMember = Set(members)
        var units = Splitter.units(data.firstOccurrences(), data.groups)
            .map { $0.filter(isMember.contains) }.filter { !$0.isEmpty }
        guard count >= 2, units.count >= count else {
            throw .foldsTooMany(count, data.name, units: units.count)
        }
        var draw = Draw(seed: seed, .folds)
        units.permute(&draw)
        // Large units first, while there is room to even out what they bring; then class by class, so that
        // the sizes even out too.
        let classes = data.labels
        let order = units.indices.sorted { a, b in
            func key(_ unit: [Int]) -> (Int, Int) {
                (-unit.count, unit.count > 1 ? 0 : classes[unit[0]])
            }
            let (x, y) = (key(units[a]), key(units[b]))
            return x == y ? a < b : x < y
        }
        var parts = [[Int]](repeating: [], count: count)
        var perClass = [[Int]](
            repeating: [Int](repeating: 0, count: data.classCount), count: count)
        for unit in order.map({ units[$0] }) {
            // Where the fewest samples of its classes are; of equals where the fewest of all are.
            func load(_ k: Int) -> (Int, Int) {
                (unit.reduce(0) { $0 + perClass[k][classes[$1]] }, parts[k].count)
            }
            let place = (0..<count).min { load($0) < load($1) }!
            parts[place] += unit
            for sample in unit { perClass[place][classes[sample]] += 1 }
        }
        guard parts.allSatisfy({ !$0.isEmpty }) else {
            throw .foldsTooMany(count, data.name, units: units.count)
        }
        self.parts = parts.map { $0.sorted() }
    }
}

extension Problem {
    fileprivate static func foldsTooMany(
        _ count: Int, _ name: String, units: Int
    ) -> Problem {
        Problem(
            .data, "too few samples for so many folds",
            at: .init(detail: [Problem.oneLine(name, limit: 40)]),
            found: "\(count) folds of \(units) samples or sets that belong together",
            expected: "2 folds or more, none of them empty", hint: "fewer folds, or more samples")
    }
}
