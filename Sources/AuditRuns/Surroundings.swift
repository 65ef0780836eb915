import Audit
import Datasets
import Foundation

/// Samples that are nearly the same though their labels differ, and samples unlike all others: by the features of
/// the data, not by what a network makes of them, which puts samples of one class together.
struct Surroundings {
    /// Sets of near duplicates whose given labels differ, the largest first; rows of the data.
    private(set) var conflicts: [[Int]] = []
    /// The farthest first; rows of the data.
    private(set) var outliers: [Int] = []
    private(set) var warnings: [String] = []

    /// Work that is worth it: about half a minute on two processors. A pair costs as much as its features and so
    /// many more.
    static let work = 1e11
    private static let pair = 32.0
    static let fewFeatures = 3

    init(_ part: AuditSamples.Part) {
        let data = part.features
        var sets = DisjointSets(count: data.count)
        for (i, first) in data.firstOccurrences().enumerated() { sets.join(i, first) }
        if let (values, width) = Surroundings.values(data), data.count > 1 {
            let work =
                Double(data.count) * Double(data.count) * (Double(width) + Surroundings.pair)
            if work > Surroundings.work {
                warnings.append(
                    "\(data.count) samples of \(width) features are too many to compare each with each: "
                        + "duplicates are those that are equal, and outliers are not looked for")
            } else if let graph = try? NeighbourGraph(features: values, columns: width) {
                // With few features some samples are as near as that by chance.
                if width > Surroundings.fewFeatures {
                    for (i, others) in graph.nearDuplicates().sets.enumerated() {
                        for j in others { sets.join(i, j) }
                    }
                }
                let found = graph.outliers()
                outliers = found.issues.sorted {
                    (found.scores[$0], $0) < (found.scores[$1], $1)
                }.map { part.rows[$0] }
            }
        }
        var members: [Int: [Int]] = [:]
        for i in 0..<data.count { members[sets.find(i), default: []].append(i) }
        conflicts = members.values.filter { set in
            set.contains { part.labels[$0] != part.labels[set[0]] }
        }.map { $0.map { part.rows[$0] } }
            .sorted { $0.count == $1.count ? $0[0] < $1[0] : $0.count > $1.count }
    }

    /// Row after row; columns of a table on one scale. Nil for texts, which have no features of their own.
    private static func values(_ data: Dataset) -> (values: [Double], width: Int)? {
        let width = data.sampleSize
        switch data.features {
        case .text: return nil
        case .images(let bytes, _, _, _): return (bytes.map { Double($0) / 255 }, width)
        case .table(let cells, _):
            var values = cells.map(Double.init)
            for column in 0..<width {
                var (sum, squares) = (0.0, 0.0)
                for row in stride(from: column, to: values.count, by: width) {
                    sum += values[row]
                }
                let mean = sum / Double(data.count)
                for row in stride(from: column, to: values.count, by: width) {
                    values[row] -= mean
                    squares += values[row] * values[row]
                }
                let deviation = (squares / Double(data.count)).squareRoot()
                guard deviation > 0, deviation.isFinite else { continue }
                for row in stride(from: column, to: values.count, by: width) {
                    values[row] /= deviation
                }
            }
            return (values, width)
        }
    }
}
