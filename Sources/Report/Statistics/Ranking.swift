/// One method of a comparison: its values of the metric, one per seed.
public struct MethodResult: Codable, Equatable, Sendable {
    public enum Role: String, Codable, Sendable {
        /// Takes part.
        case method
        /// Takes part, and is what the others have to beat: one network that learns from the given labels
        /// by an ordinary loss.
        case plain
        /// Learnt from labels that the others do not have. It frames them and is not ranked.
        case ceiling
    }

    public var name: String
    /// The metric after the last epoch, as a fraction in [0, 1], one per seed.
    public var last: [Double]
    /// The metric of the epoch selected on validation, one per seed.
    public var selected: [Double]
    /// Wall-clock seconds, one per seed.
    public var seconds: [Double]
    /// Whose values these are, in their order: rows are compared at the seeds that both have.
    public var seeds: [UInt64]
    public var role: Role

    /// - Parameter seeds: by default 0, 1, ….
    public init(
        name: String, last: [Double], selected: [Double], seconds: [Double],
        seeds: [UInt64]? = nil, role: Role = .method
    ) {
        self.name = name
        self.last = last
        self.selected = selected
        self.seconds = seconds
        self.seeds = seeds ?? (0..<max(last.count, selected.count)).map(UInt64.init)
        self.role = role
    }

    /// What rows are ranked by: the weights that the row hands over.
    public var judged: [Double] { selected.isEmpty ? last : selected }

    /// Seed by seed, what it has more than another row.
    func differences(to other: MethodResult) -> [Double] {
        let others = Dictionary(zip(other.seeds, other.judged)) { first, _ in first }
        return zip(seeds, judged).compactMap { seed, value in others[seed].map { value - $0 } }
    }
}

/// Which of several methods is best, by how much over the first and over the strongest plain one, and
/// whether that is beyond chance.
///
/// Rows are ranked by the mean of the metric at the epoch selected on validation. Differences are paired by
/// seed (`PairedDifference.pooled`). One bar decides whether one is beyond chance: p < 0.05 of Student's
/// two-sided t test, corrected for the number of rows (Holm).
public struct Ranking: Equatable, Sendable {
    public static let level = 0.05

    /// A difference, and its p value corrected over the rows.
    public struct Gap: Equatable, Sendable {
        public var difference: PairedDifference
        public var p: Double
        public var isBeyondChance: Bool { p < Ranking.level }
    }

    public struct Row: Equatable, Sendable {
        public var method: MethodResult
        /// Counted from 1; nil for one without a result, and for a ceiling.
        public var place: Int?
        /// Whether the best row's lead over it, and over every row above it, is within chance; true of the
        /// best.
        public var isTied: Bool
        /// Nil where there is no seed that both have, and for the row itself.
        public var overFirst: Gap?
        public var overPlain: Gap?
    }

    /// The best first; ceilings where they stand, rows without a result last.
    public let rows: [Row]
    /// The first method as it was given: what all are compared with.
    public let first: MethodResult?
    /// The strongest plain row; nil if there is none.
    public let strongestPlain: MethodResult?

    public init(_ methods: [MethodResult]) {
        func mean(_ method: MethodResult) -> Double {
            let mean = Estimate(values: method.judged).mean
            return mean.isFinite ? mean : -.infinity
        }
        let first = methods.first
        let ranked = methods.filter { $0.role != .ceiling && mean($0) > -.infinity }
        let plain = ranked.filter { $0.role == .plain }.max { mean($0) < mean($1) }
        let order = methods.enumerated().sorted { a, b in
            let (x, y) = (mean(a.element), mean(b.element))
            return x == y ? a.offset < b.offset : x > y
        }.map(\.element)
        let best = order.first { $0.role != .ceiling && mean($0) > -.infinity }

        func gaps(_ sign: Double, _ other: MethodResult?) -> [Gap?] {
            guard let other else { return order.map { _ in nil } }
            let differences = PairedDifference.pooled(
                order.map { method in
                    method.name == other.name
                        ? [] : method.differences(to: other).map { sign * $0 }
                })
            // A ceiling is no row of the family.
            let corrected = PairedDifference.holm(
                zip(order, differences).map { $0.role == .ceiling ? nil : $1?.p })
            return zip(differences, corrected).map { difference, p in
                difference.map { Gap(difference: $0, p: p ?? $0.p) }
            }
        }
        let (overFirst, overPlain) = (gaps(1, first), gaps(1, plain))
        let lead = gaps(-1, best)
        let top = order.firstIndex { $0.name == best?.name }
        // One answer for one pair of rows, whichever column it stands in.
        func isLed(_ i: Int) -> Bool {
            let gap =
                order[i].name == first?.name
                ? overFirst[top!] : order[i].name == plain?.name ? overPlain[top!] : lead[i]
            return gap?.isBeyondChance ?? true
        }
        var place = 0
        var isTied = true
        rows = order.indices.map { i in
            let isRanked = order[i].role != .ceiling && mean(order[i]) > -.infinity
            if isRanked {
                place += 1
                isTied = isTied && (i == top || !isLed(i))
            }
            return Row(
                method: order[i], place: isRanked ? place : nil, isTied: isRanked && isTied,
                overFirst: overFirst[i], overPlain: overPlain[i])
        }
        self.first = first
        strongestPlain = plain
    }

    public var best: Row? { rows.first { $0.place == 1 } }
    /// Of the best of them.
    public var ceiling: MethodResult? { rows.first { $0.method.role == .ceiling }?.method }
    /// Whether the strongest plain row is another one than the first.
    public var hasTwoReferences: Bool {
        strongestPlain.map { $0.name != first?.name } ?? false
    }

    /// The rows that a chart of curves shows: the best, the worst and the first one, in the order of the
    /// ranking.
    public var extremes: [String] {
        let ranked = rows.filter { $0.place != nil }.map(\.method.name)
        let wanted = Set([ranked.first, ranked.last, first?.name].compactMap(\.self))
        return rows.map(\.method.name).filter(wanted.contains)
    }
}
