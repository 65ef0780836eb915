import Diagnostics
import Randomness

extension LabelNoise {
    /// Labels that are as noisy as they came: nothing is injected, `given` and `clean` are compared.
    ///
    /// - Parameter clean: nil where no clean label is known.
    public static func measured(
        given: [Int], clean: [Int]?, classCount: Int, classNames: [String]? = nil, ids: [Int]
    ) -> NoisyLabels {
        NoisyLabels(
            LabelNoise(.clean), seed: 0, ids: ids, clean: clean ?? given, labels: given,
            classCount: classCount, classNames: classNames, intended: nil, warnings: [],
            knowsClean: clean != nil)
    }

    /// Which coordinate of `Draw` a noise stream lives at (its `epoch`). Never renumber: the
    /// numbers decide which labels a seed gives.
    enum Stream: Int {
        /// One stream per sample: its rank in exact-count kinds, its flip, its new label.
        case sample = 0
        /// One stream per clean class: the projection of kind `instance`.
        case projection = 1
        /// One stream per (class, sample): the ranks of the in-place kind.
        case inPlace = 2
    }

    /// Draws the given labels.
    ///
    /// A sample's draw depends on the seed and its id only, never on its position or the other
    /// samples. In the exact-count kinds the samples are ranked by their draws and the first
    /// ⌊rN⌋ taken, which is a seeded permutation that likewise knows no order.
    ///
    /// - Parameters:
    ///   - labels: the clean labels, each 0..<`classCount`.
    ///   - classNames: for explicit maps and label files by name, and for messages.
    ///   - features: one row per label; see ``needs``.
    ///   - ids: what identifies each sample for ever, all different; its index by default.
    ///   - total: size of the whole data, where `ids` are some of 0..<`total`: a label file is
    ///     then one for the whole data.
    ///   - seed: of the run; the recipe's own `seed` goes before it.
    /// - Throws: everything ``validate(classCount:classNames:)`` throws, a label out of range,
    ///   features that are missing or not finite, a damaged label file.
    public func apply(
        labels: [Int], classCount: Int, classNames: [String]? = nil, features: Features? = nil,
        ids: [Int]? = nil, total: Int? = nil, seed: UInt64
    ) throws(Problem) -> NoisyLabels {
        let warnings = try validate(classCount: classCount, classNames: classNames)
        if let bad = labels.firstIndex(where: { $0 < 0 || $0 >= classCount }) {
            throw .labelOutOfRange(sample: bad, labels[bad], classCount)
        }
        let ids = ids ?? Array(labels.indices)
        precondition(ids.count == labels.count, "one id per label")
        let seed = self.seed ?? seed
        let matrix = try intendedTransition(classCount: classCount, classNames: classNames)

        var given = labels
        switch kind {
        case .clean:
            break
        case .symmetric, .pairflip, .asymmetric, .matrix, .humanCIFAR10NWorst:
            given = Self.sampled(labels, from: matrix ?? [], ids, seed)
        case .symmetricInclusive:
            for (i, var draw) in Self.chosen(ids, share: rate ?? 0, seed) {
                given[i] = draw.below(classCount)
            }
        case .asymmetricGlobal:
            let targets = try self.targets(classCount: classCount, classNames: classNames)
            for (i, _) in Self.chosen(ids, share: rate ?? 0, seed) { given[i] = targets[labels[i]] }
        case .asymmetricInPlace:
            let targets = try self.targets(classCount: classCount, classNames: classNames)
            Self.changeInPlace(&given, targets, ids, rate ?? 0, seed)
        case .instance, .instanceShared:
            guard let features else { throw .noFeatures(kind) }
            given = try instanceLabels(labels, classCount, features, ids, seed)
        case .file:
            given = try LabelFile(path ?? "").labels(
                for: labels, ids: ids, total: total, classCount: classCount,
                classNames: classNames)
        }
        return NoisyLabels(
            self, seed: seed, ids: ids, clean: labels, labels: given, classCount: classCount,
            classNames: classNames, intended: matrix, warnings: warnings)
    }

    /// One draw per sample from its class's row. The first number decides whether the label
    /// changes and the second into what, so that the samples changed at a low rate are among those
    /// changed at a higher one.
    private static func sampled(
        _ labels: [Int], from matrix: [[Double]], _ ids: [Int], _ seed: UInt64
    ) -> [Int] {
        let others = matrix.enumerated().map { a, row in
            var row = row
            row[a] = 0
            return row
        }
        let changed = others.map { $0.reduce(0, +) }
        return labels.indices.map { i in
            let a = labels[i]
            var draw = Draw(seed: seed, .noise, sample: ids[i])
            // A row without its diagonal may add up to a little less than 1.
            let flips = draw.uniform() < changed[a] || matrix[a][a] == 0
            return flips ? draw.index(weights: others[a]) : a
        }
    }

    /// Exactly ⌊share·N⌋ positions in the order of their ranks, with the streams to go on with.
    private static func chosen(
        _ ids: [Int], share: Double, _ seed: UInt64
    ) -> [(position: Int, draw: Draw)] {
        var draws = ids.map { Draw(seed: seed, .noise, sample: $0) }
        let ranks = draws.indices.map { draws[$0].next() }
        let order = ids.indices.sorted { (ranks[$0], ids[$0]) < (ranks[$1], ids[$1]) }
        return order.prefix(whole(share * Double(ids.count), .down)).map { ($0, draws[$0]) }
    }

    /// The quirk of ELR and SOP: for class 0, 1, … look up who has that label *now* and move the
    /// share r (rounded up) of them. Cats that became dogs are dogs when it is the dogs' turn.
    private static func changeInPlace(
        _ labels: inout [Int], _ targets: [Int], _ ids: [Int], _ rate: Double, _ seed: UInt64
    ) {
        for a in targets.indices where targets[a] != a {
            let members = labels.indices.filter { labels[$0] == a }.map { i in
                var draw = Draw(
                    seed: seed, .noise, epoch: Stream.inPlace.rawValue, step: a, sample: ids[i])
                return (rank: draw.next(), id: ids[i], position: i)
            }.sorted { ($0.rank, $0.id) < ($1.rank, $1.id) }
            for member in members.prefix(whole(rate * Double(members.count), .up)) {
                labels[member.position] = targets[a]
            }
        }
    }

    /// `x` as a whole number. A product that misses a whole number by rounding only (.29 · 100 =
    /// 28.999…) counts as that number.
    static func whole(_ x: Double, _ rule: FloatingPointRoundingRule) -> Int {
        let nearest = x.rounded()
        return Int(abs(x - nearest) <= 1e-9 * max(1, x) ? nearest : x.rounded(rule))
    }
}
