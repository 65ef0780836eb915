import Datasets
import Torch

/// What an encoder that learnt without labels is worth. Labels, as they were before noise was
/// added, are used for these measures alone.
struct RelationsResult {
    /// Accuracies of k nearest neighbours among at most `bank` training samples, on at most 2,000
    /// samples of a split: what the features, the same network untrained and the pixels themselves
    /// give.
    struct Reference {
        var bank: Int
        var encoder: Accuracies
        var untrained: Accuracies
        var pixels: Accuracies

        /// Whether the encoder's features say no more of who resembles whom than the pixels do. By the validation
        /// split: whoever then changes the encoder has not looked at the test split for it.
        var isPoor: Bool { !(encoder.validation > pixels.validation) }
    }

    struct Accuracies {
        var validation: Double
        var test: Double
    }

    var kind: String
    /// Trainable numbers of the encoder, its unused last layer left out, and of what stood behind it
    /// while it learnt.
    var parameters: Int
    var headParameters: Int
    /// k
    var neighbours: Int
    /// All training samples as the bank, all samples of a split.
    var nearest: PhaseResult.Scores
    var probe: PhaseResult.Scores
    var reference: Reference
    /// Of the last epoch: standard deviation of the projections' directions over its value for even
    /// ones. Near 0 the encoder has collapsed.
    var embeddingStd: Double
    /// Share of class b among the k nearest neighbours of a sample of class a, among the training
    /// samples of the reference.
    var neighbourShares: [[Double]]
    /// Share of neighbours of the same class, over all samples.
    var sameClass: Double
    /// Cosines between a few samples of each class, in the order of the classes, and the class of each row.
    var matrix: [[Double]]
    var matrixClasses: [Int]

    /// Far below what any encoder that has learnt something shows.
    static let leastStd = 0.1
    var hasCollapsed: Bool { !(embeddingStd >= Self.leastStd) }
}

/// The relation graph of some samples against their classes.
struct RelationGraph {
    /// See `RelationsResult`.
    var neighbourShares: [[Double]]
    var sameClass: Double
    var matrix: [[Double]]
    var matrixClasses: [Int]

    /// Rows of the picture at most: what a heat map can draw.
    static let mostRows = 100

    /// - Parameters:
    ///   - features: [n, D].
    ///   - classes: number of classes.
    ///   - neighbours: k.
    init(_ features: Tensor, labels: [Int], classes: Int, neighbours: Int) {
        let n = labels.count
        let rows = features.normalisedRows()
        var counts = [[Int]](repeating: [Int](repeating: 0, count: classes), count: classes)
        let k = min(neighbours, n - 1)
        var same = 0
        if k > 0 {
            let keys = rows.transposed()
            let chunk = max(1, min(n, (16 << 20) / n))
            for start in stride(from: 0, to: n, by: chunk) {
                let part = rows.narrowed(0, from: start, count: min(chunk, n - start))
                let near = part.matmul(keys).topK(k + 1).indices.ints()
                for i in 0..<part.shape[0] {
                    let own = start + i
                    // Itself is among them, unless more than k others coincide with it.
                    let others = near[i * (k + 1)..<(i + 1) * (k + 1)].filter { $0 != own }.prefix(
                        k)
                    for j in others {
                        counts[labels[own]][labels[j]] += 1
                        if labels[own] == labels[j] { same += 1 }
                    }
                }
            }
        }
        neighbourShares = counts.map { row in
            let total = row.reduce(0, +)
            return row.map { total == 0 ? 0 : Double($0) / Double(total) }
        }
        sameClass = k > 0 ? Double(same) / Double(n * k) : 0
        let perClass = max(1, Self.mostRows / max(1, classes))
        let shown =
            classes > Self.mostRows
            ? []
            : (0..<classes).flatMap { c in
                labels.indices.filter { labels[$0] == c }.prefix(perClass)
            }
        matrixClasses = shown.map { labels[$0] }
        guard !shown.isEmpty else {
            matrix = []
            return
        }
        let few = rows.indexed(0, by: Tensor(shown, [shown.count]))
        let cosines = few.matmul(few.transposed()).floats()
        // Four digits are all that a picture can show.
        matrix = (0..<shown.count).map { i in
            cosines[i * shown.count..<(i + 1) * shown.count].map {
                (Double($0) * 1e4).rounded() / 1e4
            }
        }
    }
}
