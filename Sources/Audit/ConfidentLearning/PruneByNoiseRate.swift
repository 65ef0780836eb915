import Datasets
import Workers

extension ConfidentLearning {
    /// For each pair of classes, the samples with the largest margins p_j − p_k.
    ///
    /// Each worker has some of the given classes and walks along all rows twice. Rows that can be issues come
    /// first, about as many as labels are wrong; then most others need not be read, because the largest of
    /// their margins, which is known from the pass before, is below every cut of their class. They only take
    /// places of samples that are less likely to be wrong.
    func prunedByNoiseRate(_ options: PruneOptions) -> [Int] {
        let kept = options.kept(of: options.counts ?? joint.calibratedCounts)
        let shares = shares(kept, options)
        let found = Parallel.map(shares.count, workers: blocks.workers) { worker in
            table.isDouble
                ? Margins<Double>(self, shares[worker], kept).rows
                : Margins<Float>(self, shares[worker], kept).rows
        }
        var isIssue = [Bool](repeating: false, count: count)
        for rows in found { for row in rows { isIssue[row] = true } }
        return samples.indices.filter { isIssue[$0] && !samples[$0].isClose }
    }

    /// Given classes with something to look for, for each worker; about as many samples each.
    private func shares(_ kept: [[Int]], _ options: PruneOptions) -> [[Int]] {
        let active = (0..<classes).filter { k in
            joint.given[k] > options.leastPerClass
                && kept[k].indices.contains { $0 != k && kept[k][$0] > 0 }
        }
        var shares = [[Int]](repeating: [], count: max(1, min(blocks.workers, active.count)))
        var sizes = [Int](repeating: 0, count: shares.count)
        for k in active.sorted(by: { (joint.given[$1], $0) < (joint.given[$0], $1) }) {
            let least = sizes.indices.min { sizes[$0] < sizes[$1] }!
            shares[least].append(k)
            sizes[least] += joint.given[k]
        }
        return shares
    }
}

/// One worker's walk over the rows of some given classes.
private struct Margins<T: BinaryFloatingPoint & SIMDScalar> {
    private var largest: LargestRows<T>
    /// Where the groups of a given class begin; −1 for another worker's.
    private var starts: [Int]
    /// The smallest cut of each given class.
    private var least: [T]
    private let classes: Int

    var rows: [Int] { largest.rows }

    init(_ learning: ConfidentLearning, _ given: [Int], _ kept: [[Int]]) {
        classes = learning.classes
        starts = [Int](repeating: -1, count: classes)
        least = [T](repeating: -.infinity, count: classes)
        var capacities: [Int] = []
        for k in given {
            starts[k] = capacities.count
            for j in 0..<classes { capacities.append(j == k ? 0 : kept[k][j]) }
        }
        largest = LargestRows(capacities: capacities)
        guard !given.isEmpty else { return }
        walk(learning) { !$0.isClose }
        for k in given {
            least[k] = largest.cuts[starts[k]..<starts[k] + classes].min()!
        }
        let bounds = least
        walk(learning, above: bounds) { $0.isClose }
    }

    private mutating func walk(
        _ learning: ConfidentLearning, above bounds: [T]? = nil,
        _ isIncluded: (ConfidentSample) -> Bool
    ) {
        let (blocks, table) = (learning.blocks, learning.table)
        for block in 0..<(table.rows + blocks.height - 1) / blocks.height {
            let range = blocks.range(of: block, table)
            var hasRead = false
            for row in range {
                let label = learning.labels[row]
                let sample = learning.samples[row]
                guard starts[label] >= 0, isIncluded(sample) else { continue }
                if let bounds, T(sample.margin) < bounds[label] { continue }
                hasRead = true
                table.withRows(row..<row + 1) { values in
                    offer(values.start.assumingMemoryBound(to: T.self), row, label)
                }
            }
            if hasRead { table.release(range) }
        }
    }

    @inline(__always)
    private mutating func offer(_ values: UnsafePointer<T>, _ row: Int, _ label: Int) {
        let start = starts[label]
        let own = values[label]
        for k in 0..<classes {
            let margin = values[k] - own
            if margin >= largest.cuts[start + k] { largest.offer(margin, row, to: start + k) }
        }
    }
}
