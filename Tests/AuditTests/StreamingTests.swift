import Foundation
import Randomness
import Testing

@testable import Audit

/// The passes along blocks of rows against plain loops over an array in memory.
@Suite struct StreamingTests {
    /// Random rows; probabilities are multiples of 1/`steps`, so that many are equal.
    static func table(
        rows: Int, classes: Int, steps: Int, seed: UInt64
    ) -> (values: [Double], labels: [Int]) {
        var draw = Draw(seed: seed, .tests)
        var values: [Double] = []
        var labels: [Int] = []
        for _ in 0..<rows {
            let label = draw.below(classes)
            var row = [Int](repeating: 0, count: classes)
            for _ in 0..<steps {
                row[draw.uniform() < 0.4 ? label : draw.below(classes)] += 1
            }
            labels.append(draw.uniform() < 0.3 ? draw.below(classes) : label)
            values += row.map { Double($0) / Double(steps) }
        }
        return (values, labels)
    }

    /// Sizes with and without whole groups of eight classes.
    @Test(arguments: [(2, 10), (3, 10), (7, 20), (8, 16), (9, 30), (17, 64), (40, 50)], [1, 2, 3])
    func equalsPlainLoops(size: (classes: Int, steps: Int), seed: UInt64) throws {
        let (values, labels) = Self.table(
            rows: 300, classes: size.classes, steps: size.steps, seed: seed)
        let plain = PlainLoops(values, labels, classes: size.classes)
        let tables = [
            ProbabilityTable(values, classes: size.classes),
            ProbabilityTable(values.map { Float($0) }, classes: size.classes),
        ]
        for (table, workers, height) in [
            (tables[0], 1, 1000), (tables[0], 2, 7), (tables[0], 3, 1), (tables[1], 1, 37),
            (tables[1], 2, 13),
        ] {
            let found = try ConfidentLearning(
                table, labels: labels, workers: workers, height: height)
            let place = "\(table.isDouble), \(workers) workers, blocks of \(height)"
            #expect(found.joint.counts == plain.counts, "\(place)")
            #expect(found.disagreeing == plain.disagreeing, "\(place)")
            // Differences of float32 are rounded, and ties are others.
            guard table.isDouble else { continue }
            #expect(found.issues() == plain.prunedByNoiseRate(), "\(place)")
            #expect(found.issues(.pruneByClass) == plain.prunedByClass(), "\(place)")
            let half = PruneOptions(noiseShare: 0.5, leastPerClass: 2)
            #expect(
                found.issues(.pruneByNoiseRate, half) == plain.prunedByNoiseRate(half), "\(place)")
            #expect(found.issues(.predictedNotGiven) == plain.predictedNotGiven, "\(place)")
        }
    }

    @Test func dependsOnNeitherWorkersNorBlocks() throws {
        let (values, labels) = Self.table(rows: 2000, classes: 12, steps: 1000, seed: 9)
        let table = ProbabilityTable(values.map { Float($0) }, classes: 12)
        let one = try ConfidentLearning(table, labels: labels, workers: 1, height: 2000)
        for (workers, height) in [(1, 3), (2, 101), (4, 64), (16, 1)] {
            let other = try ConfidentLearning(
                table, labels: labels, workers: workers, height: height)
            #expect(other.joint == one.joint)
            #expect(other.samples == one.samples)
            for filter in LabelFilter.allCases {
                #expect(other.issues(filter) == one.issues(filter))
            }
            for score in LabelScore.allCases { #expect(other.scores(score) == one.scores(score)) }
            #expect(other.distributionScores() == one.distributionScores())
        }
    }

    /// Whatever is asked of it, a heap keeps what sorting keeps.
    @Test func largestRowsAreThoseOfASort() {
        var draw = Draw(seed: 4, .tests)
        for size in [0, 1, 2, 3, 10, 100, 200] {
            let keys = (0..<100).map { _ in Double(draw.below(20)) }
            var heap = LargestRows<Double>(capacities: [5, size, 5])
            for row in (0..<100).sorted(by: { _, _ in draw.uniform() < 0.5 }) {
                heap.offer(keys[row], row, to: 1)
            }
            let sorted = (0..<100).sorted { (keys[$1], $0) < (keys[$0], $1) }
            #expect(heap.rows.sorted() == sorted.prefix(size).sorted())
        }
    }

    @Test func oneClassAndOneRow() throws {
        let one = try ConfidentLearning(
            ProbabilityTable([Float(1), 1, 1], classes: 1), labels: [0, 0, 0])
        #expect(one.joint.counts == [[3]])
        #expect(one.issues() == [] && one.suggestion(for: 0) == nil)
        let row = try ConfidentLearning(ProbabilityTable([0.2, 0.8], classes: 2), labels: [0])
        #expect(row.issues() == [])
        #expect(row.issues(.predictedNotGiven) == [0])
    }

    /// A thousand classes, most of them never given.
    @Test func manyClasses() throws {
        let (values, labels) = Self.table(rows: 200, classes: 1000, steps: 10, seed: 2)
        let plain = PlainLoops(values, labels, classes: 1000)
        let found = try ConfidentLearning(
            ProbabilityTable(values, classes: 1000), labels: labels, workers: 2, height: 11)
        #expect(found.joint.counts == plain.counts)
        #expect(found.issues() == plain.prunedByNoiseRate())
    }
}

/// The documented algorithm, in loops over an array.
struct PlainLoops {
    let classes: Int
    let rows: [[Double]]
    let labels: [Int]
    var counts: [[Int]]
    var disagreeing: [Int] = []

    init(_ values: [Double], _ labels: [Int], classes: Int) {
        self.classes = classes
        self.labels = labels
        let rows = labels.indices.map { Array(values[$0 * classes..<($0 + 1) * classes]) }
        self.rows = rows
        let thresholds = (0..<classes).map { k in
            let own = labels.indices.filter { labels[$0] == k }
            let mean = own.reduce(0) { $0 + rows[$1][k] } / Double(max(1, own.count))
            return own.isEmpty ? 2 : max(mean, 2e-6)
        }
        counts = [[Int]](repeating: [Int](repeating: 0, count: classes), count: classes)
        for (i, row) in rows.enumerated() {
            let confident = (0..<classes).filter { row[$0] >= thresholds[$0] - 1e-6 }
            guard !confident.isEmpty else { continue }
            let k = confident.count == 1 ? confident[0] : row.firstIndex(of: row.max()!)!
            counts[labels[i]][k] += 1
            if k != labels[i] { disagreeing.append(i) }
        }
        for k in 0..<classes { counts[k][k] = max(1, counts[k][k]) }
    }

    private func isClose(_ i: Int) -> Bool {
        var row = rows[i]
        row[labels[i]] += 1e-6
        return row.firstIndex(of: row.max()!)! == labels[i]
    }

    var predictedNotGiven: [Int] { rows.indices.filter { !isClose($0) } }

    private func members(_ k: Int) -> [Int] { labels.indices.filter { labels[$0] == k } }

    private func kept(_ options: PruneOptions) -> [[Int]] {
        let given = (0..<classes).map { members($0).count }
        let joint = counts.enumerated().map { a, row in
            let sum = row.reduce(0, +)
            return row.map { Double($0) / Double(sum) * Double(given[a]) }
        }
        return options.kept(
            of: zip(joint, given).map { row, n in
                var whole = row.map { Int($0.rounded(.toNearestOrEven)) }
                let lack = n - whole.reduce(0, +)
                let order = row.indices.sorted { a, b in
                    let (x, y) = (row[a] - Double(whole[a]), row[b] - Double(whole[b]))
                    return x == y ? a < b : x < y
                }
                for k in lack > 0 ? order.suffix(lack) : order.prefix(-lack) {
                    whole[k] += lack > 0 ? 1 : -1
                }
                return whole
            })
    }

    func prunedByNoiseRate(_ options: PruneOptions = PruneOptions()) -> [Int] {
        let kept = kept(options)
        var chosen = Set<Int>()
        for k in 0..<classes where members(k).count > options.leastPerClass {
            for j in 0..<classes where j != k && kept[k][j] > 0 {
                let order = members(k).sorted { a, b in
                    let (x, y) = (rows[a][j] - rows[a][k], rows[b][j] - rows[b][k])
                    return x == y ? a < b : x > y
                }
                chosen.formUnion(order.prefix(kept[k][j]))
            }
        }
        return chosen.filter { !isClose($0) }.sorted()
    }

    func prunedByClass(_ options: PruneOptions = PruneOptions()) -> [Int] {
        let kept = kept(options)
        var chosen = Set<Int>()
        for k in 0..<classes where members(k).count > options.leastPerClass {
            let order = members(k).sorted { a, b in
                rows[a][k] == rows[b][k] ? a < b : rows[a][k] < rows[b][k]
            }
            chosen.formUnion(order.prefix(max(0, members(k).count - kept[k][k])))
        }
        return chosen.filter { !isClose($0) }.sorted()
    }
}
